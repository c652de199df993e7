import FuzzKit
import Glibc

/// The command line.
struct Options {
    var target = ""
    var seconds = 60
    var seed: UInt64 = .random(in: 0..<1_000_000)
    var corpus = "Tests/Fuzzing/corpus"
    var findings = ".build-fuzz/findings"
    /// MiB. The address sanitizer keeps up to 256 of what was freed.
    var memory = 2048
    var files: [String] = []

    init(_ arguments: some Sequence<String>) {
        var rest = Array(arguments)
        if !rest.isEmpty { target = rest.removeFirst() }
        while !rest.isEmpty {
            let word = rest.removeFirst()
            guard word.hasPrefix("--") else {
                files.append(word)
                continue
            }
            guard !rest.isEmpty else { Self.usage() }
            let value = rest.removeFirst()
            switch word {
            case "--seconds": seconds = Self.number(value)
            case "--seed": seed = UInt64(Self.number(value))
            case "--memory": memory = Self.number(value)
            case "--corpus": corpus = value
            case "--findings": findings = value
            default: Self.usage()
            }
        }
    }

    private static func number(_ text: String) -> Int {
        guard let number = Int(text), number >= 0 else { usage() }
        return number
    }

    static func usage() -> Never {
        let names = FuzzTargets.all.map(\.name).joined(separator: "|")
        print(
            "usage: tocsin-fuzz \(names) [--seconds N] [--seed S] [--corpus DIR] [--findings DIR] [--memory MIB] [FILE...]"
        )
        exit(2)
    }
}
