import Foundation
import Sinks
import Streams
import TestKit
import Testing

@Suite struct CommandSinkTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    /// Runs a script of the shell.
    private func deliver(
        _ script: String, _ more: String = "", _ notification: Streams.Notification = SinkBench.group(),
        isAllowed: Bool = true
    ) async throws -> DeliveryError? {
        let path = try folder.write("script", script)
        return try await SinkBench.run(environment: ["PATH": "/usr/bin:/bin", "SECRET": "s"]) { bench in
            let settings = try #require(
                try SinkBench.settings(
                    CommandSink.self, "command: [/bin/sh, '\(path.path)', '{{ .Status }}', \"a b'c\"]\n" + more
                ).settings)
            var context = bench.context
            context.allowsCommands = isAllowed
            let sink = CommandSink(settings, context)
            do throws(DeliveryError) {
                try await sink.deliver(notification)
                return nil
            } catch {
                return error
            }
        }
    }

    private func written(_ name: String) throws -> String {
        try String(contentsOf: URL(filePath: folder.path(name)), encoding: .utf8)
    }

    @Test func `a program gets the document, its arguments and no other variables`() async throws {
        let large = SinkBench.group { $0.alerts[0].annotations["dump"] = String(repeating: "x", count: 300_000) }
        let error = try await deliver(
            "cat > \(folder.path("in")); echo \"$1|$2|$3\" > \(folder.path("args")); env > \(folder.path("env"))",
            "environment: {SEVERITY: '{{ .CommonLabels.severity }}'}", large)
        #expect(error == nil)
        let document = try JSONValue(parsing: try written("in").utf8)
        #expect(document.texts("version", "receiver") == ["4", "team"])
        #expect(try written("args") == "firing|a b'c|\n")
        let variables = try written("env")
        #expect(variables.contains("SEVERITY=critical\n") && variables.contains("PATH=/usr/bin:/bin\n"))
        #expect(!variables.contains("SECRET"))
    }

    static let endings: [(String, String, Bool)] = [
        ("echo no room; exit 1", "ended with 1: no room", false), ("exit 75", "ended with 75", true),
        ("echo why >&2; kill -9 $$", "was ended by signal 9: why", true),
        ("exec 0<&-; exit 3", "ended with 3", false),
    ]

    @Test("How a program ends decides", arguments: endings)
    func ending(_ script: String, _ reason: String, _ passes: Bool) async throws {
        let large = SinkBench.group { $0.alerts[0].annotations["dump"] = String(repeating: "x", count: 300_000) }
        switch try await deliver(script, "", large) {
        case .unavailable(let text, nil): #expect(passes && text == "/bin/sh \(reason)", "\(text)")
        case .refused(let text): #expect(!passes && text == "/bin/sh \(reason)", "\(text)")
        case let error: Issue.record("\(String(describing: error))")
        }
    }

    @Test func `a program that takes too long is killed, with what it has started`() async throws {
        let error = try await deliver(
            "sleep 600 & echo $! > \(folder.path("pid")); wait", "timeout: 300ms")
        #expect(error == .unavailable(reason: "/bin/sh did not end within 300ms", retryAfter: nil))
        if let pid = Int32(try written("pid").trimmingCharacters(in: .whitespacesAndNewlines)) {
            // It is gone, or waits for its end to be taken note of.
            let state = try? String(contentsOf: URL(filePath: "/proc/\(pid)/stat"), encoding: .utf8)
            #expect(state == nil || state?.contains(") Z ") == true || state?.contains(") X ") == true)
        }
    }

    @Test func `a program that prints without end is no burden`() async throws {
        let error = try await deliver("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", "timeout: 300ms")
        #expect(error == .unavailable(reason: "/bin/sh did not end within 300ms", retryAfter: nil))
    }

    @Test func `cancelling ends the waiting at once`() async throws {
        let mark = folder.path("started")
        let path = try folder.write("script", "echo > \(mark); sleep 600")
        try await SinkBench.run { bench in
            let sink = try bench.sink(CommandSink.self, "{command: [/bin/sh, '\(path.path)'], timeout: 10m}")
            let delivery = Task { () -> DeliveryError? in
                do throws(DeliveryError) {
                    try await sink.deliver(SinkBench.group())
                    return nil
                } catch {
                    return error
                }
            }
            while !FileManager.default.fileExists(atPath: mark) { await Task.yield() }
            delivery.cancel()
            #expect(await delivery.value == .cancelled)
        }
    }

    @Test func `nothing runs unless it is allowed`() async throws {
        let error = try await deliver("echo > \(folder.path("ran"))", isAllowed: false)
        #expect(
            error == .refused(reason: "commands are off; \"tocsin run --allow-commands\" allows them"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("ran")))
    }

    @Test func `a program that is not there is a refusal`() async throws {
        try await SinkBench.run { bench in
            let sink = try bench.sink(CommandSink.self, "command: [/nowhere/program]")
            await #expect(
                throws: DeliveryError.refused(reason: "can't run /nowhere/program: no such file or directory")
            ) { try await sink.deliver(SinkBench.group()) }
        }
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(CommandSink.self, "{}", ["1:1: key \"command\" is missing in a command config"])
        try expectErrors(CommandSink.self, "{command: [/bin/sh, '{{ nope }}']}", ["1:25: invalid template"])
        try expectErrors(CommandSink.self, "{command: [/bin/sh], shell: true}", ["1:22: unknown key \"shell\""])
    }
}
