package import Hummingbird
package import Logging
import HummingbirdCore
import ServiceLifecycle
import HTTPTypes
import NIOCore
import NIOPosix
import Streams
import Synchronization

/// Where the server listens: `host:port`, `[ipv6]:port`, `:port` (all addresses) or a bare port on loopback.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil when the text is no address.
    package init?(_ text: String) {
        let portText: Substring
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            guard rest.hasPrefix(":") else { return nil }
            portText = rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = String(text[..<colon])
            if host.contains(":") { return nil }
            if host.isEmpty { host = "0.0.0.0" }
            portText = text[text.index(after: colon)...]
        } else {
            host = "127.0.0.1"
            portText = text[...]
        }
        guard let number = UInt16(portText) else { return nil }
        port = Int(number)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The one port for everything that comes in over HTTP.
package struct HTTPServer: Sendable {
    package struct Settings: Sendable {
        package var address: ListenAddress
        /// From a connection's start, or from its last answer, to the end of the next request's head.
        package var headDeadline: Duration = .seconds(60)
        /// A connection on which nothing moves for that long is closed.
        package var idleTimeout: Duration = .seconds(300)
        package var connectionsMax = 4096

        package init(address: ListenAddress) { self.address = address }
    }

    private let settings: Settings
    private let responder: RouterResponder<BasicRequestContext>
    private let logger: Logger
    private let bound: BoundAddress

    package init(_ settings: Settings, router: Router<BasicRequestContext>, bound: BoundAddress, logger: Logger) {
        self.settings = settings
        responder = router.buildResponder()
        self.logger = logger
        self.bound = bound
    }

    /// Serves until the service group shuts down gracefully: then it takes no more connections and finishes what runs.
    package func run() async throws {
        let head = TimeAmount.milliseconds(settings.headDeadline.wholeMilliseconds)
        let idle = TimeAmount.milliseconds(settings.idleTimeout.wholeMilliseconds)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [HeadDeadlineHandler(limit: head), ExpectContinueHandler()],
                    idleTimeout: idle)),
            configuration: .init(
                address: .hostname(settings.address.host, port: settings.address.port), serverName: "tocsin",
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionsMax)),
            onServerRunning: { [bound, settings] channel in
                bound.set(port: channel.localAddress?.port ?? settings.address.port)
            },
            logger: quiet)
        try await application.run()
    }
}

/// The port that the server got, for those who asked for port 0; readable once it listens.
package final class BoundAddress: Sendable {
    private struct State {
        var port: Int?
        var waiters: [CheckedContinuation<Int, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    func set(port: Int) {
        let waiters = state.withLock { state in
            state.port = port
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: port) }
    }

    package var port: Int? { state.withLock { $0.port } }

    /// Waits until the server listens.
    package func waitForPort() async -> Int {
        await withCheckedContinuation { continuation in
            let port: Int? = state.withLock { state in
                if state.port == nil { state.waiters.append(continuation) }
                return state.port
            }
            if let port { continuation.resume(returning: port) }
        }
    }
}
