import Foundation
import Sinks
import Streams
import TestKit
import Testing

/// One notification, and what a sink makes of it at a service of the test's own.
struct SinkExchange {
    let requests: [TestHTTPServer.Request]
    let error: DeliveryError?

    /// - Parameters:
    ///   - settings: `URL` in it, and in the globals, stands for the service's address.
    static func run<Kind: ConfigurableSink>(
        _ kind: Kind.Type, _ settings: String, globals: String = "{}",
        _ notification: Streams.Notification = SinkBench.group(), environment: [String: String] = [:],
        answer: @escaping @Sendable (TestHTTPServer.Request) -> TestHTTPServer.Answer
    ) async throws -> SinkExchange {
        let server = try TestHTTPServer(answer)
        let environment = environment.mapValues { $0.replacing("URL", with: server.url) }
        let error = try await SinkBench.run(environment: environment) { bench in
            let sink = try bench.sink(
                kind, settings.replacing("URL", with: server.url), globals: globals.replacing("URL", with: server.url))
            return await delivering(notification, by: sink)
        }
        return SinkExchange(requests: server.requests, error: error)
    }

    private static func delivering(_ notification: Streams.Notification, by sink: some Sink) async -> DeliveryError? {
        do throws(DeliveryError) {
            try await sink.deliver(notification)
            return nil
        } catch {
            return error
        }
    }

    /// The first request's document.
    var document: JSONValue {
        get throws { try document(0) }
    }

    func document(_ place: Int) throws -> JSONValue {
        try #require(requests.count > place, "there are only \(requests.count) requests; \(String(describing: error))")
        return try JSONValue(parsing: requests[place].body)
    }

    /// The first request's form.
    var form: [String: String] {
        get throws {
            try form(0)
        }
    }

    func form(_ place: Int) throws -> [String: String] {
        try #require(requests.count > place, "there are only \(requests.count) requests; \(String(describing: error))")
        let text = requests[place].text.replacing("+", with: " ")
        var result: [String: String] = [:]
        for field in text.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            result[parts[0].removingPercentEncoding ?? ""] = parts[1].removingPercentEncoding
        }
        return result
    }
}

/// A text of that many characters.
func long(_ count: Int, _ character: Character = "ä") -> String { String(repeating: character, count: count) }

/// What is wrong with the text of some settings; each error begins as expected.
func expectErrors<Kind: ConfigurableSink>(
    _ kind: Kind.Type, _ text: String, globals: String = "{}", _ expected: [String],
    sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
    let errors = try SinkBench.settings(kind, text, globals: globals).errors
    #expect(errors.count == expected.count, "\(errors)", sourceLocation: sourceLocation)
    for (error, prefix) in zip(errors, expected) {
        #expect(error.hasPrefix("f.yaml:" + prefix), "\(error)", sourceLocation: sourceLocation)
    }
}

extension JSONValue {
    /// The texts of some members, nil for those that are not there or no text.
    func texts(_ names: String...) -> [String?] { names.map { self[$0]?.string } }
}
