import Sources
import Streams
import Transport

/// Pushes the jobs that are not scraped, each to a group of its own, and takes the groups back at the end.
struct GroupPusher: Sendable {
    let client: HTTPClient
    let server: ServerOptions
    let fleet: JobFleet
    let interval: Duration

    /// Pushes until cancelled. Says when the server can't be reached or refuses, and when it works again.
    func run() async throws {
        var problem: String?
        while !Task.isCancelled {
            var now: String?
            for (group, text) in await fleet.pushed() {
                now = await send(.put, Self.path(group), text) ?? now
            }
            if now != problem, !Task.isCancelled {
                standardError(now.map { "pushing: \($0); trying on" } ?? "pushing works again")
                problem = now
            }
            try await Task.sleep(for: interval)
        }
    }

    /// Tells that the jobs were stopped, and takes the groups back: without that they would be missed.
    func finish() async {
        // Without a server there is nobody who could miss them.
        _ = await send(.post, "/api/v1/import/prometheus", await fleet.farewell())
        for (group, _) in await fleet.pushed() { _ = await send(.delete, Self.path(group), "") }
    }

    private static func path(_ group: String) -> String { GroupingKey(labels: ["job": group]).path }

    /// What went wrong.
    private func send(_ method: HTTPRequest.Method, _ path: String, _ text: String) async -> String? {
        do throws(TransportError) {
            let url = try server.url(path)
            let body = Array(text.utf8)
            let response = try await client.send(HTTPRequest(method, url, body: body, timeout: .seconds(5)))
            if (200..<300).contains(response.status) { return nil }
            return "\(url.peer) answers \(response.status): \(Terminal.plain(response.body.text(max: 500)))"
        } catch {
            return "\(error)"
        }
    }
}
