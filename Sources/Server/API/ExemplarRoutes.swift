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

    func add(to routes: RouteTable) {
        for method in [HTTPRequest.Method.get, .post] {
            routes.on("/api/v1/query_exemplars", method: method) { request, _ in await answer(request) }
        }
    }

    private func answer(_ request: Request) async -> Response {
        do {
            return try await exemplars(try await RequestParameters(request, in: services.bodies))
        } catch let failure as APIFailure {
            services.telemetry.refused(status: failure.status.code)
            return failure.response
        } catch let failure as HTTPFailure {
            let type = failure.status == .serviceUnavailable ? "unavailable" : "bad_data"
            return APIFailure(status: failure.status, type: type, message: failure.message).response
        } catch {
            return APIFailure.badData("the request's body can't be read").response
        }
    }

    @concurrent
    private func exemplars(_ parameters: RequestParameters) async throws -> Response {
        let start = try parameters.time("start") ?? .distantPast
        let end = try parameters.time("end") ?? .distantFuture
        if end < start { throw APIFailure.badData("end timestamp must not be before start timestamp") }
        let selectors: [[Matcher]]
        do throws(ParseError) {
            selectors = try PromQLParser.parse(parameters["query"] ?? "", options: .standard).selectors.map(\.matchers)
        } catch {
            throw APIFailure.badData("\(error)")
        }
        // Without a selector there is no data member at all, as for Prometheus.
        if selectors.isEmpty { return Self.response(Array(#"{"status":"success"}"#.utf8)) }
        let found = services.graph.ingest.exemplars.select(selectors, from: start, through: end)
        return Self.response(Self.document(found))
    }

    private static func response(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func document(_ found: [(labels: LabelSet, exemplars: [Exemplar])]) -> [UInt8] {
        var bytes = Array(#"{"status":"success","data":["#.utf8)
        for (place, series) in found.enumerated() {
            bytes += (place == 0 ? #"{"seriesLabels":"# : #",{"seriesLabels":"#).utf8
            JSONValue.labels(series.labels).write(to: &bytes)
            bytes += #","exemplars":["#.utf8
            for (place, exemplar) in series.exemplars.enumerated() {
                bytes += (place == 0 ? #"{"labels":"# : #",{"labels":"#).utf8
                JSONValue.labels(exemplar.labels).write(to: &bytes)
                bytes += #","value":""#.utf8
                bytes += SampleJSON.number(exemplar.value).utf8
                bytes += #"","timestamp":"#.utf8
                bytes += SampleJSON.seconds(exemplar.timestamp).utf8
                bytes += "}".utf8
            }
            bytes += "]}".utf8
        }
        bytes += "]}".utf8
        return bytes
    }
}
