import CLinux
import HTTPTypes
package import Hummingbird
import NIOCore
import Streams
import Synchronization

/// How much memory the bodies of all requests together may take, so that many large ones are refused instead of kept.
package final class BodyBudget: Sendable {
    private let bytesMax: Int
    private let taken = Mutex(0)

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// How much is taken now.
    package var bytes: Int { taken.withLock { $0 } }

    /// Whether there was room; what was taken has to be given back.
    func take(_ bytes: Int) -> Bool {
        taken.withLock { taken in
            guard taken + bytes <= bytesMax else { return false }
            taken += bytes
            return true
        }
    }

    /// - Throws: 503 when there is no room.
    func takeOrRefuse(_ bytes: Int) throws(HTTPFailure) {
        guard take(bytes) else {
            throw HTTPFailure(
                .serviceUnavailable, "too many large bodies at the same time: send it again later",
                retryAfter: .seconds(1))
        }
    }

    func giveBack(_ bytes: Int) { taken.withLock { $0 -= bytes } }
}

/// Reads a request's body, undoing its content coding, inside bounds: bytes as sent and bytes after decoding. How
/// long it may take is `BodyDeadlineHandler`'s matter.
package struct RequestBodyReader: Sendable {
    package var bytesMax: Int
    /// Beyond that, memory is given back to the system after a body.
    private static let largeBytes = 8 << 20

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

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
        var total = 0
        for try await piece in request.body {
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

    /// Calls `use` with the whole decoded body, which takes its room in the budget for as long.
    package func withWhole<Result>(
        of request: Request, in budget: BodyBudget, _ use: (ByteBuffer) async throws -> Result
    ) async throws -> Result {
        var whole = ByteBuffer()
        var taken = 0
        defer {
            budget.giveBack(taken)
            // What a large body took on its way is scattered; without this the allocator keeps most of it for ever.
            if taken >= Self.largeBytes { tc_give_back_memory() }
        }
        try await forEach(of: request) { piece in
            try budget.takeOrRefuse(piece.readableBytes)
            taken += piece.readableBytes
            var piece = piece
            whole.writeBuffer(&piece)
        }
        return try await use(whole)
    }

    private var tooLarge: HTTPFailure {
        HTTPFailure(.contentTooLarge, "the body is larger than the limit of \(bytesMax) bytes")
    }
}
