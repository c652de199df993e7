import CZlib
import NIOCore

/// Undoes gzip and zlib (RFC 1952, 1950) piece by piece, several gzip members in a row included: feed a piece, then take
/// what comes out of it with `next` until that is nil.
///
/// Not `Sendable`: it is owned by the task that reads one request.
final class Inflater {
    enum Failure: Error, Equatable {
        case corrupt
        case truncated
    }

    private static let pieceMax = 64 * 1024

    private var stream = z_stream()
    private var input: [UInt8] = []
    private var offset = 0
    /// The last member's end was seen; what follows is another member.
    private var ended = false
    private var started = false
    /// zlib filled the last piece to its end, so more may lie in its window.
    private var moreInside = false

    init() {
        // 15 bits of window, plus 32: the header tells gzip from zlib.
        let status = tc_inflate_init(&stream, 15 + 32)
        precondition(status == Z_OK, "zlib could not be set up")
    }

    deinit { inflateEnd(&stream) }

    func feed(_ piece: ByteBuffer) {
        assert(offset == input.count, "the last piece was not read to its end")
        input = Array(piece.readableBytesView)
        offset = 0
        if !input.isEmpty { started = true }
    }

    /// At most 64 KiB of what was fed, decoded; nil when there is no more.
    func next() throws(Failure) -> ByteBuffer? {
        while offset < input.count || moreInside {
            if ended {
                guard inflateReset(&stream) == Z_OK else { throw .corrupt }
                ended = false
            }
            var output = ByteBufferAllocator().buffer(capacity: Self.pieceMax)
            let (status, consumed, produced) = step(into: &output)
            offset += consumed
            moreInside = produced == Self.pieceMax && status != Z_STREAM_END
            switch status {
            case Z_STREAM_END: ended = true
            case Z_OK: break
            case Z_BUF_ERROR: if produced == 0, consumed == 0 { moreInside = false }
            default: throw .corrupt
            }
            if produced > 0 { return output }
            if status == Z_BUF_ERROR, consumed == 0 { break }
        }
        return nil
    }

    private func step(into output: inout ByteBuffer) -> (status: Int32, consumed: Int, produced: Int) {
        var status = Z_OK
        var consumed = 0
        let produced = input.withUnsafeMutableBufferPointer { source in
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceMax) { target in
                guard let start = target.baseAddress else { return 0 }
                stream.next_in = source.baseAddress.map { $0 + offset }
                stream.avail_in = UInt32(source.count - offset)
                stream.next_out = start.assumingMemoryBound(to: UInt8.self)
                stream.avail_out = UInt32(Self.pieceMax)
                status = inflate(&stream, Z_NO_FLUSH)
                consumed = source.count - offset - Int(stream.avail_in)
                return Self.pieceMax - Int(stream.avail_out)
            }
        }
        return (status, consumed, produced)
    }

    /// - Throws: `.truncated` when the stream stopped before its end.
    func finish() throws(Failure) {
        if started && !ended { throw .truncated }
    }
}
