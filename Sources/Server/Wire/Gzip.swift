import CZlib
import HTTPTypes
import Hummingbird
import NIOCore

/// Compressed answers for clients that take them (RFC 9110, 12.5.3).
enum Gzip {
    /// Below that it costs more than it saves.
    private static let bytesMin = 1024

    static func isAccepted(by request: Request) -> Bool {
        for part in (request.headers[.acceptEncoding] ?? "").split(separator: ",") {
            let words = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard words.first == "gzip" || words.first == "*" else { continue }
            return !words.dropFirst().contains {
                $0.hasPrefix("q=0") && $0.dropFirst(3).allSatisfy { "0.".contains($0) }
            }
        }
        return false
    }

    /// The response with its body compressed as it is written; small ones stay as they are.
    static func compressed(_ response: Response) -> Response {
        var response = response
        response.headers[.vary] = "Accept-Encoding"
        if let length = response.body.contentLength, length < bytesMin { return response }
        let body = response.body
        response.headers[.contentEncoding] = "gzip"
        response.headers[.contentLength] = nil
        response.body = ResponseBody { writer in
            try await body.write(GzipBodyWriter(to: writer))
        }
        return response
    }
}

/// Compresses what passes through it, piece by piece.
private struct GzipBodyWriter: ResponseBodyWriter {
    private var target: any ResponseBodyWriter
    private let deflater = Deflater()

    init(to target: any ResponseBodyWriter) { self.target = target }

    @concurrent
    mutating func write(_ buffer: ByteBuffer) async throws {
        let output = deflater.deflate(buffer, isLast: false)
        if output.readableBytes > 0 { try await target.write(output) }
    }

    @concurrent
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await target.write(deflater.deflate(ByteBuffer(), isLast: true))
        try await target.finish(trailingHeaders)
    }
}

/// Writes gzip (RFC 1952). Not `Sendable`: owned by the task that writes one response.
private final class Deflater {
    private var stream = z_stream()
    private static let pieceMax = 16 * 1024

    init() {
        // A little compression takes most of what JSON repeats; 31 bits: a gzip header around 15 bits of window.
        let status = tc_deflate_init(&stream, 3, 31)
        precondition(status == Z_OK, "zlib could not be set up")
    }

    deinit { deflateEnd(&stream) }

    func deflate(_ buffer: ByteBuffer, isLast: Bool) -> ByteBuffer {
        var output = ByteBufferAllocator().buffer(capacity: Self.pieceMax)
        var input = buffer
        input.withUnsafeMutableReadableBytes { source in
            stream.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_in = UInt32(source.count)
            var isFull = true
            while isFull {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceMax) { target in
                    guard let start = target.baseAddress else { return 0 }
                    stream.next_out = start.assumingMemoryBound(to: UInt8.self)
                    stream.avail_out = UInt32(target.count)
                    CZlib.deflate(&stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    isFull = stream.avail_out == 0
                    return target.count - Int(stream.avail_out)
                }
            }
        }
        return output
    }
}
