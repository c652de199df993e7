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
                now = await send(.put, group, Array(text.utf8)) ?? now
            }
            if now != problem, !Task.isCancelled {
                standardError(now.map { "pushing: \($0); trying on" } ?? "pushing works again")
                problem = now
            }
            try await Task.sleep(for: interval)
        }
    }

    func deleteGroups() async {
        for (group, _) in await fleet.pushed() {
            // Without a server there is nothing to delete.
            _ = await send(.delete, group, [])
        }
    }

    /// What went wrong.
    private func send(_ method: HTTPRequest.Method, _ group: String, _ body: [UInt8]) async -> String? {
        do throws(TransportError) {
            let url = try server.url(GroupingKey(labels: ["job": group]).path)
            let response = try await client.send(HTTPRequest(method, url, body: body, timeout: .seconds(5)))
            if (200..<300).contains(response.status) { return nil }
            return "\(url.peer) answers \(response.status): \(Terminal.plain(response.body.text(max: 500)))"
        } catch {
            return "\(error)"
        }
    }
}
