import Foundation
import Streams
import TestKit
import Testing

/// Receivers that write lines and run programs, in the whole program.
@Suite struct CommandReceiverTests {
    private func pipeline(_ folder: TemporaryFolder) -> String {
        """
        name: default
        sources: [{push: {}}]
        rules: [{alert: Failed, expr: failed == 1}]
        routing: {route: {receiver: ml, group_wait: 0s}}
        sinks:
          - name: ml
            file_configs: [{path: '\(folder.path("alerts.jsonl"))'}]
            command_configs: [{command: [/bin/sh, -c, 'cat > "$0"', '\(folder.path("got.json"))']}]
        """
    }

    private func text(_ path: String) -> String {
        (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) ?? ""
    }

    @Test("A program is run only where that is allowed", arguments: [true, false])
    func runs(_ isAllowed: Bool) async throws {
        let folder = try TemporaryFolder()
        let tocsin = try TocsinProcess(
            pipeline(folder), in: folder, options: isAllowed ? ["--allow-commands"] : [])
        let client = try await tocsin.client()
        #expect(try await client.send("PUT", "/metrics/job/train", text: "failed 1\n").status == 200)
        #expect(await eventually { text(folder.path("alerts.jsonl")).hasSuffix("}\n") })
        let line = try JSONValue(parsing: text(folder.path("alerts.jsonl")).dropLast().utf8)
        #expect(line["receiver"]?.string == "ml")
        if isAllowed {
            #expect(await eventually { text(folder.path("got.json")).hasSuffix("}\n") })
            let document = try JSONValue(parsing: text(folder.path("got.json")).utf8)
            #expect(document["groupKey"] == line["groupKey"])
        } else {
            #expect(await eventually { tocsin.log.contains("commands are off") })
            #expect(text(folder.path("got.json")) == "")
        }
        #expect(await tocsin.terminate() == 0)
    }
}
