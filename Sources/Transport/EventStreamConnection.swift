/// One connection to a stream of server-sent events, read by one task.
package final class EventStreamConnection {
    /// The server answered with something else than a stream.
    package struct Refusal: Error, Sendable, Equatable {
        package var status: Int
        /// The server's words, at most 4096 bytes.
        package var text: String

        package init(status: Int, text: String) {
            self.status = status
            self.text = text
        }
    }

    /// A server that sends nothing for so long, not even a comment, is gone.
    private static let silenceMax = Duration.seconds(60)
    private static let refusalBytesMax = 4096

    private let stream: any ByteStream
    private var decoder = ResponseStreamDecoder()
    private var parser: EventStreamParser
    private var waiting: [ResponseStreamDecoder.Piece] = []

    /// The id of the last event that was read, or what the connection began with.
    package var lastEventID: String { parser.lastEventID }
    /// How long to wait before connecting again, where the server has said it.
    package var retry: Duration? { parser.retry }

    private init(_ stream: any ByteStream, lastEventID: String) {
        self.stream = stream
        parser = EventStreamParser(lastEventID: lastEventID)
    }

    /// Asks for the stream, and returns once the server has begun to send it.
    /// - Parameter lastEventID: goes on after this event; empty: from now on.
    /// - Throws: `TransportError` or `Refusal`.
    package static func open(
        _ request: HTTPRequest, lastEventID: String, over connector: any ByteStreamConnector
    ) async throws -> EventStreamConnection {
        let url = request.url
        let stream = try await connector.connect(
            to: url.host, port: url.port, tls: url.scheme == "https" ? request.settings.tls : nil,
            timeout: request.connectTimeout)
        let connection = EventStreamConnection(stream, lastEventID: lastEventID)
        do {
            try await stream.write(head(of: request, lastEventID: lastEventID))
            try await connection.begin(timeout: request.timeout)
        } catch {
            await stream.close()
            throw error
        }
        return connection
    }

    private static func head(of request: HTTPRequest, lastEventID: String) throws(TransportError) -> [UInt8] {
        let url = request.url
        var request = request
        request.headers += [HTTPField("Accept", "text/event-stream"), HTTPField("Cache-Control", "no-store")]
        if !lastEventID.isEmpty { request.headers.append(HTTPField("Last-Event-ID", lastEventID)) }
        let isDefaultPort = url.port == (url.scheme == "https" ? 443 : 80)
        var text = "GET \(url.pathAndQuery) HTTP/1.1\r\nHost: \(isDefaultPort ? url.host : url.peer)\r\n"
        for field in try request.fields() { text += "\(field.name): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private func begin(timeout: Duration) async throws {
        while true {
            for (place, piece) in try await pieces(within: timeout).enumerated() {
                guard case .head(let head) = piece else { continue }
                waiting.removeFirst(place + 1)
                guard head.status == 200 else { throw try await refusal(head.status, timeout) }
                guard head["Content-Type"]?.lowercased().hasPrefix("text/event-stream") == true else {
                    throw Refusal(status: head.status, text: "what answers is no stream of events")
                }
                return
            }
        }
    }

    private func refusal(_ status: Int, _ timeout: Duration) async throws -> Refusal {
        var text: [UInt8] = []
        while true {
            for piece in waiting {
                if case .body(let bytes) = piece { text += bytes }
                if piece == .end || text.count >= Self.refusalBytesMax {
                    return Refusal(
                        status: status, text: String(decoding: text.prefix(Self.refusalBytesMax), as: UTF8.self))
                }
            }
            waiting = []
            _ = try await pieces(within: timeout)
        }
    }

    /// Reads until there is something in `waiting`.
    private func pieces(within limit: Duration) async throws(TransportError) -> [ResponseStreamDecoder.Piece] {
        while waiting.isEmpty {
            let bytes = try await withTimeout(limit) { [stream] () async throws(TransportError) -> [UInt8] in
                try await stream.read(max: 64 << 10)
            }
            waiting = bytes.isEmpty ? try decoder.finish() : try decoder.feed(bytes)
            if bytes.isEmpty, waiting.isEmpty { throw .protocol(reason: "the connection has ended") }
        }
        return waiting
    }

    /// The events that came next, maybe none; nil at the end of the stream.
    package func next() async throws(TransportError) -> [ServerSentEvent]? {
        let pieces = try await pieces(within: Self.silenceMax)
        waiting = []
        var events: [ServerSentEvent] = []
        for piece in pieces {
            switch piece {
            case .body(let bytes): events += try parser.feed(bytes)
            case .end where events.isEmpty: return nil
            case .end: waiting = [.end]
            case .head: break
            }
        }
        return events
    }

    package func close() async { await stream.close() }
}
