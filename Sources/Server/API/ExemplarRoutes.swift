import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import PromQL
import Storage
import Streams

/// Prometheus's `query_exemplars`: the exemplars of the series that an expression selects.
struct ExemplarRoutes: Sendable {
    let services: ServerServices
    let runner: QueryRunner

    func add(to routes: RouteTable) {
        routes.api("query_exemplars", methods: [.get, .post], services) { try await exemplars($0) }
    }

    private func exemplars(_ request: APIRequest) async throws -> APIAnswer {
        let parameters = request.parameters
        let start = try parameters.time("start") ?? .distantPast
        let end = try parameters.time("end") ?? .distantFuture
        if end < start { throw APIFailure.badData("end timestamp must not be before start timestamp") }
        let selectors: [[Matcher]]
        do throws(ParseError) {
            selectors = try PromQLParser.parse(
                parameters["query"] ?? "", options: services.graph.language.parser
            ).selectors.map(\.matchers)
        } catch {
            throw APIFailure.badData("\(error)")
        }
        // Without a selector there is nothing to say: 204, as for Prometheus.
        if selectors.isEmpty { return APIAnswer(.none) }
        // At most as many as are kept, so they are left out of the bound on answers.
        let found = try await runner.read(on: request.channel) { [exemplars = services.graph.ingest.exemplars] _ in
            exemplars.select(selectors, from: start, through: end)
        }
        return APIAnswer(
            .response(
                Response(
                    status: .ok, headers: [.contentType: "application/json"],
                    body: ResponseBody { writer in
                        var text = PieceWriter(#"{"status":"success","data":["#)
                        for (place, series) in found.enumerated() {
                            if place > 0 { text.write(",") }
                            Self.write(series.labels, series.exemplars, to: &text)
                            try await text.flush(to: &writer)
                        }
                        text.write("]}")
                        try await text.finish(&writer)
                    })))
    }

    private static func write(_ labels: LabelSet, _ exemplars: [Exemplar], to text: inout PieceWriter) {
        text.write(#"{"seriesLabels":"#)
        JSONValue.labels(labels).write(to: &text.bytes)
        text.write(#","exemplars":["#)
        for (place, exemplar) in exemplars.enumerated() {
            if place > 0 { text.write(",") }
            text.write(#"{"labels":"#)
            JSONValue.labels(exemplar.labels).write(to: &text.bytes)
            text.write(#","value":""#)
            SampleJSON.writeNumber(exemplar.value, to: &text.bytes)
            text.write(#"","timestamp":"#)
            SampleJSON.writeSeconds(exemplar.timestamp, to: &text.bytes)
            text.write("}")
        }
        text.write("]}")
    }
}
