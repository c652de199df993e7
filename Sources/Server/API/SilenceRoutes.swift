import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Streams

/// Silences, as Alertmanager's API v2 has them. `pipeline=` names the pipeline whose alerts are meant; without it a new
/// silence is one of `default`, and lists have those of all.
struct SilenceRoutes: Sendable {
    let services: ServerServices

    private static let bodyBytesMax = 1 << 20

    func add(to routes: RouteTable) {
        routes.get("/api/v2/silences") { request, _ in
            await AlertmanagerAnswer.of(services) { try await list(request) }
        }
        routes.post("/api/v2/silences") { request, _ in
            await AlertmanagerAnswer.of(services) { try await post(request) }
        }
        routes.get("/api/v2/silence/:id") { request, context in
            await AlertmanagerAnswer.of(services) { try await get(request, context) }
        }
        routes.delete("/api/v2/silence/:id") { request, context in
            await AlertmanagerAnswer.of(services) { try await delete(request, context) }
        }
    }

    private func list(_ request: Request) async throws -> Response {
        let parameters = try await RequestParameters(request, in: services.bodies)
        let filter = try AlertmanagerFilter.matchers(parameters, "filter")
        let states = Set(
            Silence.State.allCases.filter { AlertmanagerFilter.flag(parameters, $0.rawValue) })
        let now = services.clock.now()
        let shown = await services.graph.silences(of: parameters["pipeline"])
            .filter { states.contains($0.state(at: now)) && $0.holds(filter) }
            .sorted { Silence.isListedBefore($0, $1, at: now) }
        return AlertmanagerAnswer.json(.array(shown.map { $0.json(at: now) }))
    }

    private func post(_ request: Request) async throws -> Response {
        try PostAlertsRoutes.checkType(of: request)
        let reader = RequestBodyReader(bytesMax: Self.bodyBytesMax)
        var draft = try await reader.withWhole(of: request, in: services.bodies) { body in
            if body.readableBytes == 0 { throw AlertmanagerFailure.missing("silence") }
            return try SilenceDraft(json: body.readableBytesView)
        }
        let parameters = RequestParameters(query: request.uri.query ?? "")
        draft.isConfirmed = parameters["confirm"] == "true"
        if let start = draft.startsAt, start >= draft.endsAt {
            throw AlertmanagerFailure.refused("Failed to create silence: start time must be before end time")
        }
        if draft.endsAt < services.clock.now() {
            throw AlertmanagerFailure.refused("Failed to create silence: end time can't be in the past")
        }
        do throws(RunningGraph.SilenceRefusal) {
            let id = try await services.graph.set(draft, in: parameters["pipeline"])
            return AlertmanagerAnswer.json(["silenceID": .string(id)])
        } catch .refused(.notFound) {
            throw AlertmanagerFailure.refused("\(SilenceError.notFound)", .notFound)
        } catch {
            throw Self.failure(error)
        }
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try Self.id(context)
        let pipeline = RequestParameters(query: request.uri.query ?? "")["pipeline"]
        guard let silence = await services.graph.silences(of: pipeline).first(where: { $0.id == id }) else {
            throw AlertmanagerFailure(status: .notFound, content: .nothing)
        }
        return AlertmanagerAnswer.json(silence.json(at: services.clock.now()))
    }

    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try Self.id(context)
        let pipeline = RequestParameters(query: request.uri.query ?? "")["pipeline"]
        do throws(RunningGraph.SilenceRefusal) {
            try await services.graph.expire(silence: id, in: pipeline)
            return AlertmanagerAnswer.empty
        } catch .refused(.notFound) {
            throw AlertmanagerFailure(status: .notFound, content: .nothing)
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ refusal: RunningGraph.SilenceRefusal) -> any Error {
        switch refusal {
        case .notRunning: HTTPFailure(RunningGraph.PostRefusal.notRunning)
        case .noPipeline(let name, let open): HTTPFailure(RunningGraph.PostRefusal.noPipeline(name, open: open))
        case .refused(let error): AlertmanagerFailure.refused(error.description)
        }
    }

    private static func id(_ context: ServerContext) throws(AlertmanagerFailure) -> String {
        let text = context.parameters.get("id") ?? ""
        guard isUUID(text) else {
            throw .invalid(601, "silenceID in path must be of type uuid: \(quoted(String(text.prefix(64))))")
        }
        return text
    }

    /// 32 hexadecimal digits in five parts; the hyphens between them may be left out.
    private static func isUUID(_ text: String) -> Bool {
        var rest = Substring(text)
        for (place, length) in [8, 4, 4, 4, 12].enumerated() {
            if place > 0, rest.first == "-" { rest.removeFirst() }
            let digits = rest.utf8.prefix(length)
            guard digits.count == length,
                digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) })
            else { return false }
            rest = rest.dropFirst(length)
        }
        return rest.isEmpty
    }
}
