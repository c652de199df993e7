import HTTPTypes
package import Hummingbird
import NIOCore
import Streams

/// Reads a request's body, undoing its content coding, inside bounds: bytes as sent, bytes after decoding, and time.
package struct RequestBodyReader: Sendable {
    package var bytesMax: Int
    /// From the first byte to the last. Nil: a stream, as long as its client keeps talking.
    package var duration: Duration?

    package init(bytesMax: Int, duration: Duration?) {
        self.bytesMax = bytesMax
        self.duration = duration
    }

    /// Calls `consume` with each piece of the decoded body, in order.
    package func forEach(
        of request: Request, _ consume: (ByteBuffer) async throws -> Void
    ) async throws {
        let coding = request.headers[.contentEncoding]?.lowercased() ?? "identity"
        let inflater: Inflater?
        switch coding {
        case "identity", "", "snappy": inflater = nil
        case "gzip", "x-gzip", "deflate": inflater = Inflater()
        default:
            throw HTTPFailure(
                .unsupportedMediaType, "content encoding \(quoted(coding)) is not supported: send gzip or none")
        }
        if let declared = request.headers[.contentLength].flatMap({ Int($0) }), declared > bytesMax { throw tooLarge }
        let start = ContinuousClock().now
        var total = 0
        for try await piece in request.body {
            if let duration, start.duration(to: ContinuousClock().now) > duration {
                throw HTTPFailure(.requestTimeout, "the body did not arrive within \(duration.inSeconds) seconds")
            }
            guard let inflater else {
                total += piece.readableBytes
                if total > bytesMax { throw tooLarge }
                try await consume(piece)
                continue
            }
            inflater.feed(piece)
            while let decoded = try decode(inflater, coding) {
                total += decoded.readableBytes
                if total > bytesMax { throw tooLarge }
                try await consume(decoded)
            }
        }
        do {
            try inflater?.finish()
        } catch {
            throw HTTPFailure(.badRequest, "the \(coding) body ends too early")
        }
    }

    private func decode(_ inflater: Inflater, _ coding: String) throws(HTTPFailure) -> ByteBuffer? {
        do {
            return try inflater.next()
        } catch {
            throw HTTPFailure(.badRequest, "the \(coding) body is corrupt")
        }
    }

    /// The whole decoded body.
    package func collect(_ request: Request) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        try await forEach(of: request) { piece in
            var piece = piece
            whole.writeBuffer(&piece)
        }
        return whole
    }

    private var tooLarge: HTTPFailure {
        HTTPFailure(.contentTooLarge, "the body is larger than the limit of \(bytesMax) bytes")
    }
}
