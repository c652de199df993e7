import Foundation
import PromQL
import TestKit
import Testing

@Suite struct PromQLScriptConformance {
    @Test func `Prometheus's own scripts give what they state`() async throws {
        guard let folder = try Conformance.url("promql") else { return }
        var report = Conformance.Report("promql")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "test" }.sorted { $0.path < $1.path }
        for file in files {
            let script = try PromQLScript(String(contentsOf: file, encoding: .utf8))
            var player = ScriptPlayer(settings: ScriptPlayer.scriptSettings)
            for outcome in await player.play(script) {
                switch outcome.verdict {
                case .passed: report.pass()
                case .failed(let difference): report.fail("\(file.lastPathComponent):\(outcome.line)", difference)
                }
            }
        }
        report.finish()
        #expect(report.failed == 0)
        #expect(report.passed > 0)
    }
}
