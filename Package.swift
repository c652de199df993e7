// swift-tools-version:6.2
import PackageDescription

// The manifest is the map of the house: who may import whom stands here, and a wrong arrow fails the build
// (`--explicit-target-dependency-import-check error`, see the Makefile).

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestKit", "Streams"], swiftSettings: settings)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "tocsin",
    products: [.executable(name: "tocsin", targets: ["tocsin"])],
    dependencies: [
        // No traits: without swift-configuration and full Foundation the server starts faster and builds sooner.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // C, behind one Swift type each.
        .systemLibrary(name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CScan"),
        .target(name: "CLinux"),

        // The house, from the ground up.
        room("Streams", ["CRE2", .product(name: "DequeModule", package: "swift-collections")]),
        room("PromQL", ["Streams"]),
        room("Storage", ["Streams", "CSQLite"]),
        room("Templates", ["Streams"]),
        room(
            "Transport",
            [
                "Streams", "YAML", "CLibCurl", "CLinux", "COpenSSL",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        room("YAML", ["Streams", "CLibYAML"]),
        room(
            "Sources",
            [
                "Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", "CScan", "CSnappy", "COpenSSL",
                logging,
            ]),
        room("Sinks", ["Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", logging]),
        room(
            "Actors",
            [
                "Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", logging,
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        room(
            "Pipelines",
            [
                "Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", "Sources", "Sinks", "Actors", logging,
            ]),
        room(
            "Server",
            [
                "Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", "Sources", "Sinks", "Actors",
                "Pipelines", "CLinux", "CZlib", logging,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "DequeModule", package: "swift-collections"),
            ]),
        .executableTarget(
            name: "tocsin",
            dependencies: [
                "Streams", "PromQL", "Storage", "Templates", "Transport", "YAML", "Sources", "Sinks", "Actors",
                "Pipelines", "Server", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),

        // Figures, in release mode: `swift build -c release --product tocsin-bench`.
        .executableTarget(
            name: "tocsin-bench", dependencies: ["Streams", "PromQL", "Storage", "Sources", "CSnappy"],
            path: "Benchmarks/tocsin-bench",
            swiftSettings: settings),

        // Mutated input, without end: `make fuzz`.
        .target(name: "CCoverage", path: "Tests/Fuzzing/CCoverage"),
        .target(
            name: "FuzzKit", dependencies: ["PromQL", "Streams", "TestKit"], path: "Tests/Fuzzing/FuzzKit",
            swiftSettings: settings),
        .executableTarget(
            name: "tocsin-fuzz", dependencies: ["CCoverage", "FuzzKit", "TestKit"], path: "Tests/Fuzzing/tocsin-fuzz",
            swiftSettings: settings),

        // Tests, a folder a module.
        .target(
            name: "TestKit", dependencies: ["Streams", "YAML"], path: "Tests/TestKit", exclude: ["Fixtures"],
            swiftSettings: settings),
        .target(
            name: "ServerKit",
            dependencies: [
                "TestKit", "Streams", "PromQL", "Actors", "Pipelines", "Server", "Transport", "YAML", logging,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], path: "Tests/ServerKit", swiftSettings: settings),
        tests("StreamsTests", []),
        tests("PromQLTests", ["PromQL", "Storage", "FuzzKit"]),
        tests("StorageTests", ["Storage"]),
        tests("TemplatesTests", ["Templates"]),
        tests("TransportTests", ["Transport", "YAML"]),
        tests("YAMLTests", ["YAML"]),
        tests("SourcesTests", ["Sources", "CSnappy", "Storage", "YAML", "Transport"]),
        tests("ActorsTests", ["Actors", "PromQL", "Storage", "Templates", "YAML", logging]),
        tests("SinksTests", ["Sinks", "Templates", "Transport", "YAML"]),
        tests("PipelinesTests", ["Pipelines", "Actors", "YAML", "PromQL", "Storage", "Sources", "Sinks", logging]),
        tests(
            "ServerTests",
            [
                "ServerKit", "Server", "Pipelines", "Actors", "PromQL", "YAML", "CZlib", "CSnappy",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ]),
        tests(
            "ConformanceTests",
            [
                "PromQL", "Storage", "Sources", "Actors", "Templates", "YAML", "Pipelines", "Transport", "Server",
                "ServerKit", logging,
            ]),
        tests("EndToEndTests", ["Transport", "YAML"]),
        tests("TidyTests", ["Pipelines", "Sinks", "YAML"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
