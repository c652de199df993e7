import Actors
import ArgumentParser
import Glibc
import Streams
import Transport
import YAML

struct SilenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silence", abstract: "Makes, lists and ends silences of a server.",
        discussion: """
            Example: tocsin silence add instance=node-7 --comment 'new disks' --duration 2h
            """,
        subcommands: [Add.self, Query.self, Expire.self, Import.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Makes a silence, and prints its id.",
            discussion: "Example: tocsin silence add GPULost 'node=~\"gpu-.*\"' --comment 'new driver' --duration 30m")

        @OptionGroup var server: ServerOptions

        @Argument(
            help: "What an alert's labels have to be, as amtool writes it; a first word alone is the alert's name.")
        var matchers: [String]

        @Option(help: "Why.")
        var comment: String

        @Option(help: ArgumentHelp("Who; the user's name unless given.", valueName: "name"))
        var author: String?

        @Option(help: ArgumentHelp("How long it lasts.", valueName: "duration"))
        var duration = "1h"

        @Option(help: ArgumentHelp("When it starts; now unless given.", valueName: "time"))
        var start: String?

        @Option(help: ArgumentHelp("When it ends, in place of --duration.", valueName: "time"))
        var end: String?

        @Option(
            help: ArgumentHelp("The pipeline whose alerts are meant; the default one unless given.", valueName: "name"))
        var pipeline: String?

        @Flag(help: "It is meant to mute everything.")
        var confirm = false

        func run() async throws {
            let startsAt = try start.map { try AlertmanagerArguments.time($0, "start") } ?? SystemClock().now()
            let endsAt =
                try end.map { try AlertmanagerArguments.time($0, "end") }
                ?? startsAt + AlertmanagerArguments.duration(duration, "duration")
            let matchers = try AlertmanagerArguments.matchers(matchers).map { matcher -> JSONValue in
                [
                    "name": .string(matcher.name), "value": .string(matcher.value),
                    "isRegex": .bool(matcher.op == .matches || matcher.op == .notMatches),
                    "isEqual": .bool(matcher.op == .equal || matcher.op == .matches),
                ]
            }
            let user = getenv("USER").map { String(cString: $0) } ?? ""
            let silence: JSONValue = [
                "matchers": .array(matchers), "startsAt": .string(startsAt.rfc3339), "endsAt": .string(endsAt.rfc3339),
                "createdBy": .string(author ?? user), "comment": .string(comment),
            ]
            try await AlertmanagerClient.run(server) { client in
                let answer = try await client.send(
                    .post, "silences", query: [("pipeline", pipeline), ("confirm", confirm ? "true" : nil)], silence)
                standardOutput(answer["silenceID"]?.string ?? "")
            }
        }
    }

    struct Query: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "query", abstract: "Lists silences that are active or still to come.",
            discussion: "Example: tocsin silence query instance=node-7 --json > silences.json")

        @OptionGroup var server: ServerOptions

        @Argument(help: "Matchers that the silences have themselves; a first word alone is the alert's name.")
        var matchers: [String] = []

        @Flag(help: "Lists those that are over instead.")
        var expired = false

        @Flag(help: "Prints ids only.")
        var quiet = false

        @Flag(help: "Prints them as the server sends them, for tocsin silence import.")
        var json = false

        @Option(help: ArgumentHelp("The pipeline whose alerts are meant; all unless given.", valueName: "name"))
        var pipeline: String?

        func run() async throws {
            let filters = try AlertmanagerArguments.matchers(matchers).map { ("filter", Optional($0.alertmanagerText)) }
            let state = expired ? [("active", "false"), ("pending", "false")] : [("expired", "false")]
            try await AlertmanagerClient.run(server) { client in
                let query = filters + state.map { ($0.0, Optional($0.1)) } + [("pipeline", pipeline)]
                let answer = try await client.send(.get, "silences", query: query)
                if json { return standardOutput(answer.text) }
                if quiet {
                    return (answer.items ?? []).forEach { standardOutput(Terminal.plain($0["id"]?.string ?? "")) }
                }
                var table = TextTable("ID", "Matchers", "State", "Ends At", "Created By", "Comment")
                for silence in answer.items ?? [] {
                    func text(_ name: String) -> String { silence[name]?.string ?? "" }
                    table.add(
                        text("id"), Self.text(silence["matchers"]), silence["status"]?["state"]?.string ?? "",
                        text("endsAt"), text("createdBy"), text("comment"))
                }
                table.lines.forEach(standardOutput)
            }
        }

        private static func text(_ matchers: JSONValue?) -> String {
            (matchers?.items ?? []).map { matcher in
                let (isEqual, isRegex) = (matcher["isEqual"]?.bool ?? true, matcher["isRegex"]?.bool ?? false)
                let op = isRegex ? (isEqual ? "=~" : "!~") : (isEqual ? "=" : "!=")
                return "\(matcher["name"]?.string ?? "")\(op)\(quoted(matcher["value"]?.string ?? ""))"
            }.joined(separator: " ")
        }
    }

    struct Expire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "expire", abstract: "Ends silences now.",
            discussion: "Example: tocsin silence expire $(tocsin silence query instance=node-7 --quiet)")

        @OptionGroup var server: ServerOptions

        @Argument(help: "Their ids.")
        var ids: [String]

        private static func expire(_ id: String, _ client: AlertmanagerClient) async throws {
            do {
                _ = try await client.send(.delete, "silence/\(URLString.encoded(id))")
            } catch let failure as AlertmanagerClient.Failure where failure.status == 404 {
                throw AlertmanagerClient.Failure(description: "there is no silence \(quoted(id))")
            }
        }

        func run() async throws {
            try await AlertmanagerClient.run(server) { client in
                for id in ids { try await Self.expire(id, client) }
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Makes the silences of a list, and prints their ids.",
            discussion: """
                Takes what tocsin silence query --json and amtool silence query -o json write. A silence that the server \
                knows by its id is changed; others are new.

                Example: tocsin silence import silences.json
                """)

        @OptionGroup var server: ServerOptions

        @Argument(help: "A file; standard input unless given.")
        var file: String?

        @Option(
            help: ArgumentHelp("The pipeline whose alerts are meant; the default one unless given.", valueName: "name"))
        var pipeline: String?

        func run() async throws {
            let bytes = try await input()
            guard let list = try? JSONValue(parsing: bytes).items else {
                throw AlertmanagerClient.Failure(description: "\(file ?? "the input") is no list in JSON")
            }
            try await AlertmanagerClient.run(server) { client in try await make(list, client) }
        }

        private func make(_ list: [JSONValue], _ client: AlertmanagerClient) async throws {
            var failures = 0
            for (place, silence) in list.enumerated() {
                do {
                    standardOutput(try await make(silence, client))
                } catch let failure as AlertmanagerClient.Failure where failure.status != nil {
                    failures += 1
                    standardError("silence \(place + 1): \(failure)")
                }
            }
            if failures > 0 {
                throw AlertmanagerClient.Failure(description: "\(failures) of \(list.count) were not taken")
            }
        }

        private func make(_ silence: JSONValue, _ client: AlertmanagerClient) async throws -> String {
            let query = [("pipeline", pipeline)]
            do {
                return try await client.send(.post, "silences", query: query, silence)["silenceID"]?.string ?? ""
            } catch let failure as AlertmanagerClient.Failure where failure.status == 404 && silence["id"] != nil {
                guard case .object(let members) = silence else { throw failure }
                let new = JSONValue.object(members.filter { $0.name != "id" })
                return try await client.send(.post, "silences", query: query, new)["silenceID"]?.string ?? ""
            }
        }

        private static let bytesMax = 64 << 20

        private func input() async throws -> [UInt8] {
            if let file { return try SourceText(contentsOf: file).bytes }
            var bytes: [UInt8] = []
            let input = StandardInput()
            while true {
                let reading = try await input.read(max: 1 << 20, within: nil)
                for piece in reading.pieces { bytes += piece.bytes }
                guard bytes.count <= Self.bytesMax else {
                    throw AlertmanagerClient.Failure(description: "the input is longer than \(Self.bytesMax) bytes")
                }
                if reading.isEnd { return bytes }
            }
        }
    }
}
