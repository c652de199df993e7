import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Streams

/// Alerts from outside, as Alertmanager's API v2 takes them: from a Prometheus, amtool, or anyone.
struct PostAlertsRoutes: Sendable {
    let services: ServerServices

    /// Many times what a Prometheus sends at once.
    private static let bodyBytesMax = 8 << 20
    /// More are counted, not told.
    private static let reasonsMax = 10

    func add(to routes: RouteTable) {
        routes.post("/api/v2/alerts") { request, _ in
            await AlertmanagerAnswer.of(services) { try await post(request) }
        }
    }

    /// `pipeline=` names the pipeline that the alerts enter, the default one unless set. What is valid is taken, whatever
    /// else the request has.
    private func post(_ request: Request) async throws -> Response {
        try Self.checkType(of: request)
        let pipeline = RequestParameters(query: request.uri.query ?? "").all("pipeline").first
        let reader = RequestBodyReader(bytesMax: Self.bodyBytesMax)
        let invalid = try await reader.withWhole(of: request, in: services.bodies) { body in
            if body.readableBytes == 0 { throw AlertmanagerFailure.missing("alerts") }
            return try post(alerts(in: body), to: pipeline, bytes: body.readableBytes)
        }
        if invalid.isEmpty { return AlertmanagerAnswer.empty }
        let reasons = invalid.prefix(Self.reasonsMax).map { "alerts[\($0.place)]: \($0.reason)" }
        let more = invalid.count - reasons.count
        let message = reasons.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
        services.telemetry.refused(status: HTTPResponse.Status.badRequest.code)
        return AlertmanagerAnswer.json(.string(message), status: .badRequest)
    }

    static func checkType(of request: Request) throws(HTTPFailure) {
        let type = request.headers[.contentType] ?? "application/octet-stream"
        let name = type.prefix { $0 != ";" }.trimmed.lowercased()
        if name == "application/json" || request.headers[.contentLength] == "0" { return }
        throw HTTPFailure(
            .unsupportedMediaType,
            "unsupported media type \(quoted(String(name.prefix(64)))), only [application/json] are allowed")
    }

    private func alerts(in body: ByteBuffer) throws(AlertmanagerFailure) -> [PostedAlert] {
        do throws(PostedAlert.BodyError) {
            return try PostedAlert.list(json: body.readableBytesView)
        } catch {
            switch error.kind {
            case .unreadable: throw .unreadable("alerts", error.message)
            case .missing: throw .missing(error.message)
            case .invalid: throw .invalid(601, error.message)
            }
        }
    }

    private func post(
        _ alerts: [PostedAlert], to pipeline: String?, bytes: Int
    ) throws(HTTPFailure) -> [RunningGraph.InvalidPost] {
        do throws(RunningGraph.PostRefusal) {
            return try services.graph.post(alerts, to: pipeline, bytes: bytes)
        } catch {
            throw HTTPFailure(error)
        }
    }
}

extension HTTPFailure {
    init(_ refusal: RunningGraph.PostRefusal) {
        switch refusal {
        case .full:
            self.init(
                .serviceUnavailable, "too many alerts wait already, none of these was taken: send them again later",
                retryAfter: .seconds(1))
        case .notRunning:
            self.init(.serviceUnavailable, "the server is starting or shutting down", retryAfter: .seconds(5))
        case .noPipeline(let name, let open):
            let names = open.prefix(20).joined(separator: ", ")
            let what =
                name.map { "the pipeline \(quoted(String($0.prefix(64)))) takes no alerts" }
                ?? "no pipeline is named, and there is no default one"
            self.init(
                .notFound,
                "\(what): "
                    + (open.isEmpty ? "no pipeline has a routing" : "write ?pipeline=NAME with one of \(names)"))
        }
    }
}

extension Substring {
    /// Without the blanks around it.
    fileprivate var trimmed: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
