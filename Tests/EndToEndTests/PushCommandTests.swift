import Foundation
import TestKit
import Testing

/// `tocsin push` at the end of a pipe.
@Suite struct PushCommandTests {
    /// - Parameter writer: a shell command whose output is piped in.
    private static func push(_ writer: String, to server: String) async throws -> Outcome {
        try await TocsinProcess.outcome(
            of: "sh", ["-c", "{ \(writer); } | \"$0\" push --server \(server)", TocsinProcess.program])
    }

    /// Enough comments to end a batch.
    private static let filler = "yes '# a comment that fills the batch' | head -n 40000"

    private static let pushes = "name: default\nsources: [{push: {}}]\n"

    @Test func `a series that repeats within a second keeps each of its values`() async throws {
        let tocsin = try TocsinProcess(Self.pushes, in: TemporaryFolder())
        let client = try await tocsin.client()
        let outcome = try await Self.push(
            #"printf 'x{l="a b} 1"} 1\nx{l="a b} 1"} 2\ny 5\n'; printf 'x{l="a b} 1"} 3\n'; printf 'y 6'"#,
            to: "http://127.0.0.1:\(client.port)")
        #expect((outcome.status, outcome.errors) == (0, ""))
        func value(_ query: String) async throws -> String {
            let text = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await client.get("/api/v1/query?query=\(text)").json()
            let result = (answer["data"] as? NSDictionary)?["result"] as? [NSDictionary]
            return (result?.first?["value"] as? [Any])?.last as? String ?? "none"
        }
        #expect(try await value("count_over_time(x[5m])") == "3")
        #expect(try await value("count_over_time(y[5m])") == "2")
        // The last one is at most a few milliseconds ahead.
        #expect(await eventually { (try? await value("x + on() y")) == "9" })
        #expect(await tocsin.terminate() == 0)
    }

    @Test func `only lines without a time get one`() async throws {
        let server = try TestHTTPServer { _ in .respond(204) }
        let before = Int64(Date().timeIntervalSince1970 * 1000)
        let outcome = try await Self.push(
            #"printf '# TYPE a gauge\na 1\r\n\nb{x="\\\\"} 2 1234\n  c {x="}"}   3  \nnonsense\n{"d"} 4\n'"#,
            to: server.url)
        #expect((outcome.status, outcome.errors) == (0, ""))
        let lines = server.requests[0].text.components(separatedBy: "\n")
        let after = Int64(Date().timeIntervalSince1970 * 1000)
        try #require(lines.count == 8)
        func isStamped(_ line: String, _ start: String) -> Bool {
            guard line.hasPrefix(start), let time = Int64(line.dropFirst(start.count)) else { return false }
            return (before...after).contains(time)
        }
        #expect(lines[0] == "# TYPE a gauge")
        #expect(isStamped(lines[1], "a 1 "))
        #expect(lines[2] == "")
        #expect(lines[3] == #"b{x="\\"} 2 1234"#)
        #expect(isStamped(lines[4], #"  c {x="}"}   3 "#))
        #expect(lines[5] == "nonsense")
        #expect(isStamped(lines[6], #"{"d"} 4 "#))
        server.stop()
    }

    @Test func `what is refused is told with its line, and the stream goes on`() async throws {
        let tocsin = try TocsinProcess(Self.pushes, in: TemporaryFolder())
        let client = try await tocsin.client()
        let outcome = try await Self.push(
            "printf 'x 1\\n'; \(Self.filler); printf 'y 1\\ny{ 2\\n'; \(Self.filler); printf 'z 1\\n'",
            to: "http://127.0.0.1:\(client.port)")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("line 40003: "))
        #expect(outcome.errors.contains("one batch of lines was refused"))
        let names = try await client.get("/api/v1/query?query=%7B__name__%3D~%22x%7Cy%7Cz%22%7D").text
        #expect(names.contains(#""x""#) && names.contains(#""z""#) && !names.contains(#""y""#))
        #expect(await tocsin.terminate() == 0)
    }

    @Test func `a connection that breaks and a server that is busy get the same lines again`() async throws {
        let answers = AnswersInTurn([.raw([]), .text(502, "no"), .text(503, "", headers: ["Retry-After": "0"])])
        let server = try TestHTTPServer { _ in answers.next() ?? .respond(204) }
        let outcome = try await Self.push("printf 'x 1\\n'; \(Self.filler); printf 'y 2\\n'", to: server.url)
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("trying again"))
        let bodies = server.requests.map(\.text)
        try #require(bodies.count >= 5)
        let first = bodies.filter { $0.hasPrefix("x 1 ") }
        #expect(first.count == 4 && Set(first).count == 1)
        #expect(bodies.last?.contains("\ny 2 ") == true || bodies.last?.hasPrefix("y 2 ") == true)
        server.stop()
    }
}

/// One answer after the other.
private final class AnswersInTurn: @unchecked Sendable {
    private let lock = NSLock()
    private var answers: [TestHTTPServer.Answer]

    init(_ answers: [TestHTTPServer.Answer]) { self.answers = answers }

    func next() -> TestHTTPServer.Answer? {
        lock.withLock { answers.isEmpty ? nil : answers.removeFirst() }
    }
}
