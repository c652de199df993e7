import Actors
import ArgumentParser
import Streams
import Transport

struct AlertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alert", abstract: "Posts alerts to a server, and lists what it knows.",
        discussion: """
            Example: tocsin alert add DiskFull instance=node-7 --annotation 'summary=/scratch is full'
            """,
        subcommands: [Add.self, Query.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Posts one alert.",
            discussion: "Example: tocsin alert add DiskFull instance=node-7 severity=warning --end 2026-12-24T18:00:00Z"
        )

        @OptionGroup var server: ServerOptions

        @Argument(help: "Its labels, as name=value; a first word alone is its name.")
        var labels: [String]

        @Option(help: ArgumentHelp("A text about it. May be repeated.", valueName: "name=value"))
        var annotation: [String] = []

        @Option(help: ArgumentHelp("When it started; now unless given.", valueName: "time"))
        var start: String?

        @Option(help: ArgumentHelp("When it ends or ended; after resolve_timeout unless given.", valueName: "time"))
        var end: String?

        @Option(name: .customLong("generator-url"), help: ArgumentHelp("Where to look at its cause.", valueName: "url"))
        var generatorURL: String?

        @Option(help: ArgumentHelp("The pipeline that it enters; the default one unless given.", valueName: "name"))
        var pipeline: String?

        func run() async throws {
            var alert: [JSONValue.Member] = [
                .init("labels", try AlertmanagerArguments.labels(labels, isAlert: true)),
                .init("annotations", try AlertmanagerArguments.labels(annotation, isAlert: false)),
            ]
            if let start {
                alert.append(.init("startsAt", .string(try AlertmanagerArguments.time(start, "start").rfc3339)))
            }
            if let end { alert.append(.init("endsAt", .string(try AlertmanagerArguments.time(end, "end").rfc3339))) }
            if let generatorURL { alert.append(.init("generatorURL", .string(generatorURL))) }
            let body = JSONValue.array([.object(alert)])
            try await AlertmanagerClient.run(server) { client in
                _ = try await client.send(.post, "alerts", query: [("pipeline", pipeline)], body)
            }
        }
    }

    struct Query: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "query", abstract: "Lists the alerts that routing knows, muted ones too.",
            discussion: "Example: tocsin alert query 'severity=~\"critical|warning\"' --active")

        @OptionGroup var server: ServerOptions

        @Argument(help: "What their labels have to be, as amtool writes it; a first word alone is the alert's name.")
        var matchers: [String] = []

        @Option(help: ArgumentHelp("Those that go to a receiver whose whole name matches.", valueName: "regex"))
        var receiver: String?

        @Flag(help: "Leaves out those that are silenced or inhibited.")
        var active = false

        @Flag(help: "Prints them as the server sends them.")
        var json = false

        @Option(help: ArgumentHelp("The pipeline that they entered; all unless given.", valueName: "name"))
        var pipeline: String?

        func run() async throws {
            let filters = try AlertmanagerArguments.matchers(matchers).map { ("filter", Optional($0.alertmanagerText)) }
            let muted = active ? "false" : nil
            try await AlertmanagerClient.run(server) { client in
                let answer = try await client.send(
                    .get, "alerts",
                    query: filters + [
                        ("receiver", receiver), ("silenced", muted), ("inhibited", muted), ("pipeline", pipeline),
                    ])
                if json { return standardOutput(answer.text) }
                var table = TextTable("Alert", "State", "Starts At", "Labels", "Summary")
                for alert in answer.items ?? [] {
                    guard case .object(let labels) = alert["labels"] ?? .null else { continue }
                    let others = labels.filter { $0.name != "alertname" }.map {
                        "\($0.name)=\(quoted($0.value.string ?? ""))"
                    }
                    table.add(
                        alert["labels"]?["alertname"]?.string ?? "", alert["status"]?["state"]?.string ?? "",
                        alert["startsAt"]?.string ?? "", others.joined(separator: " "),
                        alert["annotations"]?["summary"]?.string ?? "")
                }
                table.lines.forEach(standardOutput)
            }
        }
    }
}
