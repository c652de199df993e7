import Streams
import TestKit
import Testing
import Transport

@Suite struct ResponseStreamDecoderTests {
    /// Status, body and whether the end was seen, fed in pieces of `size`.
    private func decode(_ text: String, by size: Int, isClosed: Bool = false) throws -> (Int?, String, Bool) {
        var decoder = ResponseStreamDecoder(headBytesMax: 200)
        var pieces: [ResponseStreamDecoder.Piece] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            pieces += try decoder.feed(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        if isClosed { pieces += try decoder.finish() }
        var result: (status: Int?, body: [UInt8], isOver: Bool) = (nil, [], false)
        for piece in pieces {
            switch piece {
            case .head(let head): result.status = head.status
            case .body(let bytes): result.body += bytes
            case .end: result.isOver = true
            }
        }
        return (result.status, String(decoding: result.body, as: UTF8.self), result.isOver)
    }

    @Test(arguments: [1, 2, 7, 1000]) func `chunks are undone, extensions and trailers skipped`(_ size: Int) throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
        #expect(try decode(text, by: size) == (200, "abc0123456789", true))
    }

    @Test(arguments: [1, 1000]) func `a body ends at its length, or with the connection`(_ size: Int) throws {
        #expect(try decode("HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\nabcd", by: size) == (404, "ab", true))
        #expect(try decode("HTTP/1.0 200 OK\r\n\r\nabcd", by: size, isClosed: true) == (200, "abcd", true))
        #expect(try decode("HTTP/1.1 204 No Content\r\n\r\n", by: size, isClosed: true) == (204, "", true))
    }

    @Test func `an announcement before the answer is skipped`() throws {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        #expect(try decode(text, by: 5) == (200, "x", true))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 300) + "\r\n\r\n",
    ]) func `what is no HTTP is an error and no trap`(_ text: String) {
        for size in [1, 1000] {
            #expect(throws: TransportError.self) { try decode(text, by: size) }
        }
    }

    @Test func `an answer that breaks off is an error`() {
        for text in ["HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"] {
            #expect(throws: TransportError.self) { try decode(text, by: 100, isClosed: true) }
        }
    }
}
