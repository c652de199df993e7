import ArgumentParser
import Transport

/// Which server a command talks to.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server's URL; may hold user and password, and a path that stands before its own.", valueName: "url"))
    var server = "http://127.0.0.1:9190"

    func validate() throws {
        do throws(TransportError) {
            let url = try URLString(server)
            if url.pathAndQuery.contains("?") { throw .invalidURL(reason: "it has a query") }
        } catch {
            throw ValidationError("--server: \(error)")
        }
    }

    /// - Parameter path: from the slash on, with its query, encoded.
    func url(_ path: String) throws(TransportError) -> URLString {
        try URLString((server.hasSuffix("/") ? String(server.dropLast()) : server) + path)
    }
}
