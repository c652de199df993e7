import Actors
import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import ServiceLifecycle
import Streams

/// The alert stream as server-sent events (WHATWG HTML, "Server-sent events").
struct AlertStreamRoutes: Sendable {
    let services: ServerServices

    /// A comment on a quiet stream, so that both ends learn of a broken connection.
    private static let heartbeatInterval = Duration.seconds(15)

    func add(to routes: RouteTable) {
        routes.get("/api/v1/stream/alerts") { request, _ in stream(request) }
    }

    /// `filter=` takes Alertmanager's matchers, as often as wanted; `Last-Event-ID`, or the parameter `last_event_id`,
    /// goes on after an event.
    private func stream(_ request: Request) -> Response {
        let parameters = RequestParameters(query: request.uri.query ?? "")
        if let malformed = parameters.malformed {
            return HTTPFailure(.badRequest, "the URL can't be read: \(malformed)").textResponse
        }
        var matchers: [Matcher] = []
        do {
            for text in parameters.all("filter") { matchers += try MatcherSyntax.fallback.parseList(text) }
        } catch {
            return HTTPFailure(.badRequest, "invalid filter: \(error)").textResponse
        }
        let last =
            request.headers[values: HTTPField.Name("Last-Event-ID")!].first
            ?? parameters["last_event_id"]
        guard let subscription = services.graph.alerts.subscribe(matchers: matchers, after: last) else {
            return HTTPFailure(.serviceUnavailable, "too many clients listen already", retryAfter: .seconds(30))
                .textResponse
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
                HTTPField.Name("X-Accel-Buffering")!: "no",
            ],
            body: ResponseBody { writer in
                try await write(subscription, to: &writer)
                try await writer.finish(nil)
            })
    }

    @concurrent
    private func write(_ subscription: AlertStreamSubscription, to writer: inout any ResponseBodyWriter) async throws {
        // Holds only what one write takes: while it is full nothing is read from the hub, which then tells of what was
        // missed.
        let queue = Edge<String>(EdgeName(pipeline: "", from: "stream", to: "client"), capacity: .init(elements: 16))
        try await writer.write(ByteBuffer(string: ": tocsin alert stream\nretry: 1000\n\n"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while let item = await subscription.next() {
                    do throws(Edge<String>.SendError) { try await queue.send(Self.event(item)) } catch { return }
                }
                queue.close()
            }
            group.addTask { [clock = services.clock] in
                while !queue.isClosed {
                    // Ends early by cancellation only.
                    guard (try? await clock.sleep(for: Self.heartbeatInterval)) != nil else { return }
                    // A client that is behind needs no sign of life.
                    try? queue.trySend(": heartbeat\n\n")
                }
            }
            defer {
                queue.close()
                group.cancelAll()
            }
            try await withGracefulShutdownHandler {
                while let first = await queue.receiveAll() {
                    try await writer.write(ByteBuffer(string: first.joined()))
                }
            } onGracefulShutdown: {
                queue.close()
            }
        }
    }

    private static func event(_ item: AlertStreamItem) -> String {
        "id: \(item.id)\nevent: \(item.type)\ndata: \(item.json)\n\n"
    }
}
