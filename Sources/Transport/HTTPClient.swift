import Streams
import Synchronization

/// The outbound HTTP engine: every scrape and every HTTP sink asks through one of these. libcurl does the work on one
/// thread; connections are kept alive and shared by all requests.
///
/// `start` it before the first request and `shutdown` it at the end; requests outside that time throw `.closed`.
package final class HTTPClient: Sendable {
    package struct Settings: Sendable, Hashable {
        package var userAgent: String
        /// Connections to one host and port; further requests wait for one.
        package var connectionsPerHostMax: Int
        /// Connections kept alive while nothing is asked.
        package var idleConnectionsMax: Int
        /// Memory kept for the next bodies.
        package var pooledBytesMax: Int

        package init(
            userAgent: String = "Tocsin", connectionsPerHostMax: Int = 16, idleConnectionsMax: Int = 4096,
            pooledBytesMax: Int = 8 << 20
        ) {
            self.userAgent = userAgent
            self.connectionsPerHostMax = connectionsPerHostMax
            self.idleConnectionsMax = idleConnectionsMax
            self.pooledBytesMax = pooledBytesMax
        }
    }

    private let engine: CurlEngine

    package init(_ settings: Settings = Settings()) { engine = CurlEngine(settings) }

    deinit { engine.stop(nil) }

    /// Starts the thread. Starting twice changes nothing.
    package func start() throws(TransportError) { try engine.start() }

    /// Ends what is under way with `.closed`, closes all connections and returns when the thread is gone.
    package func shutdown() async {
        await withUnsafeContinuation { engine.stop($0) }
    }

    private static let redirectsMax = 10

    /// Returns the answer, whatever its status, that of where it redirects to if that is wanted. When the task is cancelled
    /// the transfer ends at once, wherever it is.
    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let start = ContinuousClock.now
        var current = request
        for _ in 0...Self.redirectsMax {
            let response: HTTPResponse
            do throws(TransportError) {
                response = try await sendOnce(current)
            } catch {
                if case .timeout = error { throw .timeout(after: request.timeout) }
                throw error
            }
            guard let next = try current.redirected(by: response) else { return response }
            current = next
            current.timeout = request.timeout - start.duration(to: .now)
            if current.timeout <= .zero { throw .timeout(after: request.timeout) }
        }
        throw .protocol(reason: "more than \(Self.redirectsMax) redirects")
    }

    private func sendOnce(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let transfer = try engine.transfer(request)
        let result: Result<HTTPResponse, TransportError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                transfer.continuation = continuation
                engine.submit(transfer)
            }
        } onCancel: {
            engine.cancel(transfer)
        }
        return try result.get()
    }
}
