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
    let runner: QueryRunner

    func add(to routes: RouteTable) {
        routes.api("search/metric_names", methods: [.get, .post], services) { try await metricNames($0) }
        routes.api("search/label_names", methods: [.get, .post], services) { try await labelNames($0) }
        routes.api("search/label_values", methods: [.get, .post], services) { try await labelValues($0) }
    }

    private func metricNames(_ request: APIRequest) async throws -> APIAnswer {
        let parameters = request.parameters
        let search = try SearchParameters(parameters, endpoint: "metric_names", now: services.clock.now())
        let includesMetadata = try SearchParameters.boolean("include_metadata", parameters) ?? false
        let metadata = services.graph.ingest.metadata
        let found = try await values(of: LabelSet.metricName, search, request)
        return answer(search, found, member: "name") { name in
            guard includesMetadata, let family = metadata.families(named: name).first?.descriptions.first else {
                return []
            }
            return [
                .init("type", .string(family.type.rawValue)), .init("help", .string(family.help)),
                .init("unit", .string(family.unit)),
            ].filter { $0.value != .string("") }
        }
    }

    private func labelNames(_ request: APIRequest) async throws -> APIAnswer {
        let search = try SearchParameters(request.parameters, endpoint: "label_names", now: services.clock.now())
        let found = try await runner.read(on: request.channel) { store in
            let names = await store.labelNames(matching: search.selectors, from: search.start, to: search.end)
            return Found(search, try search.matches(in: names))
        }
        return answer(search, found, member: "name")
    }

    private func labelValues(_ request: APIRequest) async throws -> APIAnswer {
        let search = try SearchParameters(request.parameters, endpoint: "label_values", now: services.clock.now())
        guard let label = request.parameters["label"] else {
            throw APIFailure.badData("missing required parameter \"label\"")
        }
        return answer(search, try await values(of: label, search, request), member: "value")
    }

    private func values(
        of label: String, _ search: SearchParameters, _ request: APIRequest
    ) async throws -> Found {
        try await runner.read(on: request.channel) { store in
            let values = await store.labelValues(label, matching: search.selectors, from: search.start, to: search.end)
            return Found(search, try search.matches(in: values))
        }
    }

    /// The matches that are shown; at most as many as a search may ask for, so they take little.
    private struct Found: Sendable {
        var shown: [SearchParameters.Match]
        var hasMore: Bool

        init(_ search: SearchParameters, _ matches: [SearchParameters.Match]) {
            shown = Array(matches.prefix(search.limit))
            hasMore = matches.count > shown.count
        }
    }

    private func answer(
        _ search: SearchParameters, _ found: Found, member: String,
        details: @escaping @Sendable (String) -> [JSONValue.Member] = { _ in [] }
    ) -> APIAnswer {
        let shown = found.shown
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
                        let end: JSONValue = ["status": "success", "has_more": .bool(found.hasMore)]
                        end.write(to: &text.bytes)
                        text.write("\n")
                        try await text.finish(&writer)
                    })))
    }
}
