import TestKit
import Testing

/// Alertmanager's own tool, as it is packaged.
@Suite struct AmtoolTests {
    @Test func `amtool adds alerts, finds them and tests routes`() async throws {
        let check = try await TocsinProcess.outcome(of: "amtool", ["--version"])
        guard check.status == 0 else {
            print("amtool is not there, not checked")
            return
        }
        let tocsin = try TocsinProcess(
            """
            name: default
            routing:
              route:
                receiver: nobody
                routes: [{receiver: web, matchers: [team="web"], active_time_intervals: [always], mute_time_intervals: [never]}]
              time_intervals:
                - {name: always, time_intervals: [{years: ['2000:2100']}]}
                - name: never
                  time_intervals:
                    - times: [{start_time: '09:30', end_time: '24:00'}, {start_time: '00:00', end_time: '01:05'}]
                      weekdays: ['monday:friday', sunday]
                      days_of_month: ['1:7', '-3:-1']
                      months: ['january:march', '12']
                      years: ['1999:2000']
                      location: Europe/Berlin
            sinks: [{name: nobody}, {name: web}]
            """, in: TemporaryFolder())
        let port = try await tocsin.client().port
        func amtool(_ arguments: String...) async throws -> Outcome {
            try await TocsinProcess.outcome(
                of: "amtool", ["--alertmanager.url=http://127.0.0.1:\(port)"] + arguments,
                environment: ["HOME": tocsin.folder.path("")])
        }
        let added = try await amtool(
            "alert", "add", "DiskFull", "team=web", "disk=a b", "--annotation=summary=\"is full\"")
        #expect(added.status == 0, "\(added.errors)")
        let bad = try await amtool("alert", "add")
        #expect(bad.status == 1)
        #expect(bad.errors.contains("at least one label pair required"))
        let isFound = await eventually { (try? await amtool("alert", "query").output.contains("DiskFull")) == true }
        #expect(isFound)
        let found = try await amtool("alert", "query", "disk=\"a b\"", "--receiver=web").output
        #expect(found.contains("is full") && found.contains("active"))
        #expect(try await !amtool("alert", "query", "disk=b").output.contains("DiskFull"))
        #expect(try await amtool("config", "routes", "test", "team=web").output == "web\n")
        let shown = try await amtool("config", "routes", "show")
        #expect(shown.status == 0 && shown.output.contains("receiver: web"), "\(shown.errors)")
        #expect(await tocsin.terminate() == 0)
    }
}
