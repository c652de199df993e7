import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Storage
import Streams

/// Names for those who type: `search/metric_names`, `search/label_names` and `search/label_values`. They answer with a line
/// of JSON for each batch of results, and a last one that tells whether there are more.
struct SearchRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.api("search/metric_names", methods: [.get, .post], services) { try await metricNames($0.parameters) }
        routes.api("search/label_names", methods: [.get, .post], services) { try await labelNames($0.parameters) }
        routes.api("search/label_values", methods: [.get, .post], services) { try await labelValues($0.parameters) }
    }

    private func metricNames(_ parameters: RequestParameters) async throws -> APIAnswer {
        let search = try SearchParameters(parameters, endpoint: "metric_names", now: services.clock.now())
        let includesMetadata = try SearchParameters.boolean("include_metadata", parameters) ?? false
        let metadata = services.graph.ingest.metadata
        return Self.answer(search, try await values(of: LabelSet.metricName, search), member: "name") { name in
            guard includesMetadata, let family = metadata.families(named: name).first?.descriptions.first else {
                return []
            }
            return [
                .init("type", .string(family.type.rawValue)), .init("help", .string(family.help)),
                .init("unit", .string(family.unit)),
            ].filter { $0.value != .string("") }
        }
    }

    private func labelNames(_ parameters: RequestParameters) async throws -> APIAnswer {
        let search = try SearchParameters(parameters, endpoint: "label_names", now: services.clock.now())
        let names = await services.graph.store.labelNames(
            matching: search.selectors, from: search.start, to: search.end)
        return Self.answer(search, names, member: "name")
    }

    private func labelValues(_ parameters: RequestParameters) async throws -> APIAnswer {
        let search = try SearchParameters(parameters, endpoint: "label_values", now: services.clock.now())
        guard let label = parameters["label"] else {
            throw APIFailure.badData("missing required parameter \"label\"")
        }
        return Self.answer(search, try await values(of: label, search), member: "value")
    }

    private func values(of label: String, _ search: SearchParameters) async throws -> [String] {
        await services.graph.store.labelValues(label, matching: search.selectors, from: search.start, to: search.end)
    }

    private static func answer(
        _ search: SearchParameters, _ names: [String], member: String,
        details: @escaping @Sendable (String) -> [JSONValue.Member] = { _ in [] }
    ) -> APIAnswer {
        let matches = search.matches(in: names)
        let shown = matches.prefix(search.limit)
        return APIAnswer(
            .response(
                Response(
                    status: .ok, headers: [.contentType: "application/x-ndjson; charset=utf-8"],
                    body: ResponseBody { writer in
                        var text = PieceWriter()
                        var place = shown.startIndex
                        repeat {
                            let batch = shown[place...].prefix(search.batchSize)
                            place = batch.endIndex
                            let results = batch.map { match -> JSONValue in
                                var members: [JSONValue.Member] = [.init(member, .string(match.name))]
                                if search.includesScore {
                                    members.append(.init("score", .number(formatFloat(match.score, .fixed))))
                                }
                                return .object(members + details(match.name))
                            }
                            JSONValue.object([.init("results", .array(results))]).write(to: &text.bytes)
                            text.write("\n")
                            try await text.flush(to: &writer)
                        } while place < shown.endIndex
                        let end: JSONValue = ["status": "success", "has_more": .bool(matches.count > shown.count)]
                        end.write(to: &text.bytes)
                        text.write("\n")
                        try await text.finish(&writer)
                    })))
    }
}
