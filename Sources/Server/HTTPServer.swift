package import Hummingbird
package import Logging
import HummingbirdCore
import ServiceLifecycle
import HTTPTypes
package import NIOCore
import NIOPosix
import Streams
import Synchronization
import Transport

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

/// Under which path everything is served: `/` or empty for none, else such as `/monitoring/tocsin`.
package struct RoutePrefix: Sendable, Equatable {
    /// Without a slash at the end; empty: none.
    package let text: String

    /// Nil when the text is no path.
    package init?(_ path: String) {
        let parts = path.split(separator: "/")
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
        guard parts.allSatisfy({ $0.utf8.allSatisfy(isPlain) }) else { return nil }
        text = parts.map { "/" + $0 }.joined()
    }
}

/// The one port for everything that comes in over HTTP.
package struct HTTPServer: Sendable {
    package struct Settings: Sendable {
        package var address: ListenAddress
        /// From a connection's start, or from its last answer, to the end of the next request's head.
        package var headDeadline: Duration = .seconds(60)
        /// From a head to the end of its body; at `streamPath`, from one piece to the next.
        package var bodyDeadline: Duration = .seconds(60)
        /// Where a body may take as long as it likes.
        package var streamPath: String?
        /// A client that reads nothing of its answer for that long is cut off.
        package var writeDeadline: Duration = .seconds(60)
        /// How long, and how many bytes, the rest of a body is still read whose request is answered already.
        package var lingerTime: Duration = .seconds(5)
        package var lingerBytesMax = 16 << 20
        /// A connection on which nothing moves for that long is closed.
        package var idleTimeout: Duration = .seconds(300)
        package var connectionsMax = 4096
        /// How long a shutdown waits for requests under way, an upload that never ends among them.
        package var shutdownTimeout: Duration = .seconds(10)

        package init(address: ListenAddress) { self.address = address }
    }

    private let settings: Settings
    private let responder: RouterResponder<ServerContext>
    private let telemetry: ServerTelemetry?
    private let logger: Logger
    private let bound: BoundAddress

    /// - Parameter telemetry: where requests are counted that do not reach the router; nil: nowhere.
    package init(
        _ settings: Settings, router: Router<ServerContext>, telemetry: ServerTelemetry? = nil,
        bound: BoundAddress, logger: Logger
    ) {
        self.settings = settings
        self.telemetry = telemetry
        responder = router.buildResponder()
        self.logger = logger
        self.bound = bound
    }

    /// Serves until the service group shuts down gracefully: then it takes no more connections and finishes what runs, or
    /// ends it when that takes too long.
    package func run() async throws {
        let head = TimeAmount.milliseconds(settings.headDeadline.wholeMilliseconds)
        let body = TimeAmount.milliseconds(settings.bodyDeadline.wholeMilliseconds)
        let isStream: @Sendable (HTTPRequest) -> Bool = { [path = settings.streamPath] request in
            request.path.map { String($0.prefix { $0 != "?" }) } == path
        }
        let onTimeout: @Sendable () -> Void = { [telemetry] in
            telemetry?.refused(status: HTTPResponse.Status.requestTimeout.code)
        }
        let write = TimeAmount.milliseconds(settings.writeDeadline.wholeMilliseconds)
        let onStall: @Sendable () -> Void = { [telemetry] in telemetry?.stalled() }
        let linger = TimeAmount.milliseconds(settings.lingerTime.wholeMilliseconds)
        let idle = TimeAmount.milliseconds(settings.idleTimeout.wholeMilliseconds)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        HeadDeadlineHandler(limit: head, onTimeout: onTimeout),
                        BodyDeadlineHandler(limit: body, isStream: isStream, onTimeout: onTimeout),
                        ExpectContinueHandler(),
                        HangUpHandler(),
                        WriteDeadlineHandler(limit: write, onTimeout: onStall),
                        LingerHandler(limit: linger, bytesMax: settings.lingerBytesMax),
                    ],
                    idleTimeout: idle)),
            configuration: .init(
                address: .hostname(settings.address.host, port: settings.address.port), serverName: "tocsin",
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionsMax)),
            onServerRunning: { [bound, settings] channel in
                bound.set(port: channel.localAddress?.port ?? settings.address.port)
            },
            logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [settings] in
                do {
                    try await application.run()
                } catch let error as IOError {
                    throw ListenFailure(settings.address, error)
                }
            }
            group.addTask { [settings] in
                try await gracefulShutdown()
                try await Task.sleep(for: settings.shutdownTimeout)
            }
            defer { group.cancelAll() }
            try await group.next()
            group.cancelAll()
            do {
                try await group.waitForAll()
            } catch {
                // Cancelled: the server by the limit, or the limit by the server's end.
                logger.debug("Serving ended.", metadata: ["reason": "\(error)"])
            }
        }
    }
}

/// Nobody can be served at this address: another program has it, or it is not this machine's.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ address: ListenAddress, _ error: IOError) {
        description = "can't listen at \(address): \(SystemError.text(error.errnoCode))"
    }
}

/// The port that the server got, for those who asked for port 0; readable once it listens.
package final class BoundAddress: Sendable {
    private let bound = Mutex<Int?>(nil)
    private let listening = Latch()

    package init() {}

    func set(port: Int) {
        bound.withLock { $0 = port }
        listening.open()
    }

    package var port: Int? { bound.withLock { $0 } }

    /// Waits until the server listens; nil when the task is cancelled before.
    package func waitForPort() async -> Int? {
        await listening.wait()
        return port
    }
}
