import Foundation
import TestKit
import Testing

@Suite struct AlertmanagerTimelineConformance {
    @Test(
        "Notifications come when Alertmanager's come, whatever the order of the tasks",
        arguments: [0, 1, 2] as [UInt64])
    func timelines(seed: UInt64) throws {
        guard let folder = try Conformance.url("alertmanager/timeline") else { return }
        var report = Conformance.Report("timeline")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
        for file in files {
            let id = file.deletingPathExtension().lastPathComponent
            do {
                let problems = try TimelinePlayer(String(contentsOf: file, encoding: .utf8), seed: seed).play()
                problems.isEmpty ? report.pass() : report.fail(id, problems.joined(separator: "; "))
            } catch let reason as TimelinePlayer.Unplayable {
                report.skip(id, "\(reason)")
            }
        }
        report.finish()
        #expect(report.failed == 0)
    }
}
