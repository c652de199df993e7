import Foundation
import Sinks
import Streams
import Synchronization
import TestKit
import Testing
import YAML

/// What each kind of sink that speaks HTTP owes to the operator around it (STYLE, section 5), tried against a service of
/// the test's own.
struct SinkContract<Kind: ConfigurableSink> {
    /// Settings for a service at that URL, in block style: each key on a line of its own.
    let settings: (_ url: String) -> String
    /// What stands in those settings and in the requests, and may stand nowhere else.
    let secrets: [String]
    /// What the service says when it takes a notification.
    let accepted: TestHTTPServer.Answer
    /// How many requests a notification takes.
    let requests: Int
    let sample: String

    init(
        _ kind: Kind.Type, accepted: TestHTTPServer.Answer, requests: Int = 1, secrets: [String],
        settings: @escaping (String) -> String
    ) {
        self.requests = requests
        self.settings = settings
        self.secrets = secrets
        self.accepted = accepted
        sample = settings("http://service.test:8080")
    }

    func check() async throws {
        try await returnsOnceAccepted()
        try await endsWhenCancelled()
        try await tellsRefusalsFromOutages()
        try await honoursRetryAfter()
        try await waitsNoLongerThanItsTimeout()
        try reportsWrongSettings()
    }

    // MARK: acceptance

    private func returnsOnceAccepted() async throws {
        let gate = DispatchSemaphore(value: 0)
        let accepted = accepted
        let server = try TestHTTPServer { _ in
            gate.wait()
            return accepted
        }
        try await SinkBench.run { bench in
            let sink = try bench.sink(Kind.self, settings(server.url))
            let isDone = Flag()
            let delivery = Task {
                try await sink.deliver(SinkBench.group())
                isDone.set()
            }
            await server.received(1)
            #expect(!isDone.isSet, "\(Kind.key): it returned before the service had answered")
            for _ in 0..<requests { gate.signal() }
            try await delivery.value
            #expect(server.requests.count == requests)
        }
    }

    private final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    // MARK: cancelling

    private func endsWhenCancelled() async throws {
        let answers: [TestHTTPServer.Answer] = [
            .hang, .pieces([Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".utf8)], pause: .zero),
        ]
        for answer in answers {
            let server = try TestHTTPServer { _ in answer }
            try await SinkBench.run { bench in
                let sink = try bench.sink(Kind.self, settings(server.url))
                let delivery = Task { () -> DeliveryError? in
                    do throws(DeliveryError) {
                        try await sink.deliver(SinkBench.group())
                        return nil
                    } catch {
                        return error
                    }
                }
                await server.received(1)
                delivery.cancel()
                #expect(await delivery.value == .cancelled, "\(Kind.key)")
            }
        }
        try await SinkBench.run { bench in
            let sink = try bench.sink(Kind.self, settings("http://127.0.0.1:1"))
            let delivery = Task { () -> DeliveryError? in
                withUnsafeCurrentTask { $0?.cancel() }
                do throws(DeliveryError) {
                    try await sink.deliver(SinkBench.group())
                    return nil
                } catch {
                    return error
                }
            }
            #expect(await delivery.value == .cancelled, "\(Kind.key): cancelled before it began")
        }
    }

    // MARK: answers

    /// The service's answer repeats all that was asked, as some do.
    private static func echo(_ status: Int, _ request: TestHTTPServer.Request) -> TestHTTPServer.Answer {
        let headers = request.headers.map { "\($0): \($1)" }.joined(separator: " ")
        return .text(status, "no: \(request.path) \(headers) \(request.text)")
    }

    private func error(_ sink: Kind) async -> DeliveryError? {
        do throws(DeliveryError) {
            try await sink.deliver(SinkBench.group())
            return nil
        } catch {
            return error
        }
    }

    private func tellsRefusalsFromOutages() async throws {
        let box = Status()
        let server = try TestHTTPServer { Self.echo(box.value, $0) }
        try await SinkBench.run { bench in
            let sink = try bench.sink(Kind.self, settings(server.url))
            for status in [400, 401, 403, 404, 410, 413, 422, 304] {
                box.value = status
                guard case .refused(let reason)? = await error(sink) else {
                    Issue.record("\(Kind.key): HTTP \(status) is no refusal")
                    continue
                }
                checkSecrecy(reason)
                #expect(reason.contains("HTTP \(status)"), "\(reason)")
            }
            for status in [408, 425, 429, 500, 502, 503, 504] {
                box.value = status
                guard case .unavailable(let reason, nil)? = await error(sink) else {
                    Issue.record("\(Kind.key): HTTP \(status) is no outage")
                    continue
                }
                checkSecrecy(reason)
                #expect(reason.contains("HTTP \(status)"), "\(reason)")
            }
        }
        try await isUnavailable { _ in .raw(Array("SMTP here\r\n\r\n".utf8)) }
        try await isUnavailable { _ in .raw([]) }
        try await isUnavailable { _ in .endless(head: "HTTP/1.1 200 OK\r\n\r\n") }
        server.stop()
        try await SinkBench.run { bench in
            guard case .unavailable(let reason, nil)? = await error(try bench.sink(Kind.self, settings(server.url)))
            else {
                Issue.record("\(Kind.key): that nobody listens is no outage")
                return
            }
            checkSecrecy(reason)
        }
    }

    private final class Status: Sendable {
        private let number = Mutex(200)
        var value: Int {
            get { number.withLock { $0 } }
            set { number.withLock { $0 = newValue } }
        }
    }

    private func isUnavailable(_ answer: @escaping @Sendable (TestHTTPServer.Request) -> TestHTTPServer.Answer)
        async throws
    {
        let server = try TestHTTPServer(answer)
        try await SinkBench.run { bench in
            guard case .unavailable(let reason, _)? = await error(try bench.sink(Kind.self, settings(server.url)))
            else {
                Issue.record("\(Kind.key): a broken answer is no outage")
                return
            }
            checkSecrecy(reason)
        }
    }

    private func checkSecrecy(_ text: String) {
        for secret in secrets {
            #expect(!text.contains(secret), "\(Kind.key) shows a secret: \(text)")
        }
    }

    private func honoursRetryAfter() async throws {
        // The clock stands at 2026-01-01T00:00:00Z.
        let cases: [(String, Duration?)] = [
            ("7", .seconds(7)), ("Thu, 01 Jan 2026 00:00:30 GMT", .seconds(30)), ("soon", nil),
            ("999999999", .seconds(86_400)),
        ]
        for (header, wait) in cases {
            for status in [429, 503] {
                let server = try TestHTTPServer { _ in .text(status, "later", headers: ["Retry-After": header]) }
                try await SinkBench.run { bench in
                    guard
                        case .unavailable(_, let retryAfter)? = await error(
                            try bench.sink(Kind.self, settings(server.url)))
                    else {
                        Issue.record("\(Kind.key): HTTP \(status) is no outage")
                        return
                    }
                    #expect(retryAfter == wait, "\(Kind.key): \(header)")
                }
            }
        }
    }

    private func waitsNoLongerThanItsTimeout() async throws {
        let server = try TestHTTPServer { _ in .hang }
        try await SinkBench.run { bench in
            let sink = try bench.sink(Kind.self, settings(server.url) + "\ntimeout: 50ms")
            #expect(await error(sink) == .unavailable(reason: "timed out after 50ms", retryAfter: nil), "\(Kind.key)")
        }
    }

    // MARK: settings

    private func reportsWrongSettings() throws {
        let lines = sample.split(separator: "\n").count
        let sound = try SinkBench.settings(Kind.self, sample)
        #expect(sound.errors == [], "\(Kind.key)")
        #expect(try SinkBench.settings(Kind.self, sample).settings == sound.settings, "equal texts are equal settings")
        checkSecrecy("\(String(describing: sound.settings)) \(String(reflecting: sound.settings))")

        let unknown = try SinkBench.settings(Kind.self, sample + "\nsend_resolve: true").errors
        #expect(
            unknown.count == 1 && unknown[0].hasPrefix("f.yaml:\(lines + 1):1: unknown key \"send_resolve\""),
            "\(unknown)")
        #expect(unknown.first?.contains("send_resolved") == true, "\(unknown)")
        let wrong = try SinkBench.settings(Kind.self, sample + "\nsend_resolved: perhaps\ntimeout: soon").errors
        #expect(wrong.count == 2, "\(wrong)")
        #expect(wrong.contains { $0.hasPrefix("f.yaml:\(lines + 1):16: ") }, "\(wrong)")
        #expect(wrong.contains { $0.hasPrefix("f.yaml:\(lines + 2):10: ") }, "\(wrong)")
        let missing = try SinkBench.settings(Kind.self, "send_resolved: true")
        #expect(missing.settings == nil && !missing.errors.isEmpty, "\(missing.errors)")
        #expect(missing.errors.first?.hasPrefix("f.yaml:1:1: ") == true, "\(missing.errors)")
        #expect(try SinkBench.settings(Kind.self, "[1]").errors.first?.hasPrefix("f.yaml:1:1: ") == true)
        for error in unknown + wrong { checkSecrecy(error) }
    }
}
