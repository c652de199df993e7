import Foundation
import TestKit
import Testing
import YAML

/// Alertmanager's API and its tool, against the program as it runs an alertmanager.yml.
@Suite struct AlertmanagerStepsConformance {
    /// The version whose behaviour is built.
    private static let version = [0, 34]
    /// What only another program can answer.
    private static let unfit = ["v1 is gone": "/api/v1/alerts is Prometheus's here"]

    @Test(arguments: ["api", "amtool"])
    func `requests and amtool get what Alertmanager gives`(name: String) async throws {
        guard let url = try Conformance.url("alertmanager/\(name).yaml") else { return }
        var report = Conformance.Report("alertmanager/\(name)")
        var toolVersion = Self.version
        if name == "amtool" {
            guard let found = try? await Outcome(of: "amtool", ["--version"]), found.status == 0 else {
                print("alertmanager/amtool: there is no amtool, not checked")
                return
            }
            toolVersion = Self.numbers((found.output + found.errors).split(separator: " ").dropFirst(2).first ?? "")
        }
        let file = try Node.parse(String(contentsOf: url, encoding: .utf8))
        let server = try RunningAlertmanager(file["config"]?.text ?? "", arguments: file["args"]?.texts ?? [])
        let player = try StepPlayer(await server.client(), tool: "amtool", files: file["files"])
        for (place, step) in (file["steps"]?.items ?? []).enumerated() {
            let title = step["name"]?.text ?? step["path"]?.text ?? step["run"]?.texts.joined(separator: " ") ?? ""
            let id = "\(place + 1) \(title)"
            if let reason = Self.unfit[title] {
                report.skip(id, reason)
            } else if let least = step["min_version"]?.text.map({ Self.numbers($0[...]) }), toolVersion.isBefore(least)
            {
                report.skip(id, "not in version \(toolVersion)")
            } else if let next = step["before_version"]?.text.map({ Self.numbers($0[...]) }),
                !toolVersion.isBefore(next)
            {
                report.skip(id, "only before version \(next)")
            } else {
                do {
                    let problem = try await player.play(step)
                    problem.map { report.fail(id, $0) } ?? report.pass()
                } catch {
                    report.fail(id, "\(error)")
                }
            }
        }
        report.finish()
        #expect(report.failed == 0)
        #expect(report.passed > 60)
        await server.stop()
    }

    private static func numbers(_ text: Substring) -> [Int] { text.split(separator: ".").compactMap { Int($0) } }
}

extension [Int] {
    fileprivate func isBefore(_ other: [Int]) -> Bool { lexicographicallyPrecedes(other) }
}

/// `tocsin run --alertmanager`, ended when the last reference goes.
private final class RunningAlertmanager: Sendable {
    private let folder: TemporaryFolder
    private let process: ChildProcess
    private var log: String { (try? String(contentsOfFile: folder.path("log"), encoding: .utf8)) ?? "" }

    struct Failed: Error {
        var log: String
    }

    init(_ config: String, arguments: [String]) throws {
        folder = try TemporaryFolder()
        let file = try folder.write("alertmanager.yml", config)
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "tocsin")
        process = try ChildProcess(
            program.path,
            ["run", "--alertmanager", file.path, "--listen", "127.0.0.1:0", "--data", folder.path("data")] + arguments,
            errors: .file(folder.path("log")))
    }

    deinit { process.signal(SIGKILL) }

    func client() async throws -> LoopbackClient {
        func port() -> Int? {
            log.split(separator: "\n").first { $0.contains("Listening.") }
                .flatMap { $0.split(separator: ":").last.flatMap { Int($0) } }
        }
        _ = await eventually { port() != nil || !process.isRunning }
        guard let port = port() else { throw Failed(log: log) }
        let client = LoopbackClient(port: port)
        guard await eventually({ (try? await client.get("/-/ready").status) == 200 }) else { throw Failed(log: log) }
        return client
    }

    func stop() async {
        process.signal(SIGTERM)
        _ = await process.end()
    }
}
