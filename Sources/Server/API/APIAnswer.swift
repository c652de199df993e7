import HTTPTypes
import Hummingbird
import NIOCore
import Streams

/// What an endpoint of the Prometheus API gives when all went well.
struct APIAnswer: Sendable {
    enum Content: Sendable {
        /// Small: it is built before it is sent.
        case document(JSONValue)
        case texts([String])
        case labelSets([LabelSet])
        /// Nothing to say: 204.
        case none
        /// A response of its own form.
        case response(Response)
    }

    var content: Content
    var warnings: [String] = []
    /// Where the text of a list is made, and what the list takes in memory until the client has read it.
    var held: (executor: QueryExecutor, room: AnswerBudget.Hold)?

    init(_ content: Content, warnings: [String] = []) {
        self.content = content
        self.warnings = warnings
    }

    init(_ document: JSONValue) { content = .document(document) }

    /// What clients read as: there is more than this.
    static let truncated = "results truncated due to limit"

    /// The first elements of a list, with a warning when there were more.
    static func texts(_ texts: [String], limit: Int?) -> APIAnswer {
        guard let limit, texts.count > limit else { return APIAnswer(.texts(texts)) }
        return APIAnswer(.texts(Array(texts.prefix(limit))), warnings: [truncated])
    }

    static func labelSets(_ sets: [LabelSet], limit: Int?) -> APIAnswer {
        guard let limit, sets.count > limit else { return APIAnswer(.labelSets(sets)) }
        return APIAnswer(.labelSets(Array(sets.prefix(limit))), warnings: [truncated])
    }

    var response: Response {
        switch content {
        case .none: return Response(status: .noContent)
        case .response(let response): return response
        case .document(let data):
            var bytes = Array("{\"status\":\"success\",\"data\":".utf8)
            data.write(to: &bytes)
            Self.end(warnings, &bytes)
            return Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        case .texts(let texts):
            return list(texts) { JSONValue.write(string: $0, to: &$1) }
        case .labelSets(let sets):
            return list(sets) { JSONValue.labels($0).write(to: &$1) }
        }
    }

    private static func end(_ warnings: [String], _ bytes: inout [UInt8]) {
        if !warnings.isEmpty {
            bytes += ",\"warnings\":".utf8
            JSONValue.array(warnings.map { .string($0) }).write(to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// A list of any length leaves in pieces.
    private func list<Element: Sendable>(
        _ elements: [Element], _ write: @escaping @Sendable (Element, inout [UInt8]) -> Void
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { [warnings, held] writer in
                try await withTaskExecutorPreference(held?.executor) {
                    var text = PieceWriter("{\"status\":\"success\",\"data\":[")
                    for (place, element) in elements.enumerated() {
                        if place > 0 { text.bytes.append(UInt8(ascii: ",")) }
                        write(element, &text.bytes)
                        if text.isFull { try await text.flush(to: &writer) }
                    }
                    text.bytes.append(UInt8(ascii: "]"))
                    Self.end(warnings, &text.bytes)
                    try await text.finish(&writer)
                }
            })
    }
}

/// Collects what is written and sends it in pieces, so that no large answer is in memory as a whole; waits while the
/// client does not read.
struct PieceWriter {
    private let pieceBytes: Int

    var bytes: [UInt8]

    /// - Parameter pieceBytes: how much is a piece; `.max` for those who want it whole.
    init(_ text: String = "", pieceBytes: Int = 64 * 1024) {
        self.pieceBytes = pieceBytes
        bytes = Array(text.utf8)
        bytes.reserveCapacity(min(pieceBytes, 64 * 1024) + 4096)
    }

    mutating func write(_ text: StaticString) {
        bytes += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    @_disfavoredOverload
    mutating func write(_ text: String) { bytes += text.utf8 }

    /// Whether there is enough for a piece.
    var isFull: Bool { bytes.count >= pieceBytes }

    /// Sends what there is when it is enough for a piece.
    @concurrent
    mutating func flush(to writer: inout any ResponseBodyWriter) async throws {
        guard isFull else { return }
        try await send(to: &writer)
    }

    /// Sends the rest.
    @concurrent
    mutating func finish(_ writer: inout any ResponseBodyWriter) async throws {
        if !bytes.isEmpty { try await send(to: &writer) }
        try await writer.finish(nil)
    }

    @concurrent
    private mutating func send(to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(bytes: bytes))
        bytes.removeAll(keepingCapacity: true)
        // A client that reads as fast as it is written to would never let others in.
        await Task.yield()
    }
}
