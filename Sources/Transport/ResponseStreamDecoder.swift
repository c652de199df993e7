import Streams

/// Takes an HTTP/1.1 answer apart while it comes (RFC 9112): bytes in, cut where the network likes; the head, then pieces
/// of the body out, with chunks undone. For answers that never end; `HTTPClient` is for the others.
package struct ResponseStreamDecoder: Sendable {
    package struct Head: Sendable, Hashable {
        package var status: Int
        package var headers: [HTTPField]

        /// The first header of that name, in whatever case.
        package subscript(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package enum Piece: Sendable, Hashable {
        case head(Head)
        case body([UInt8])
        case end
    }

    private enum State {
        case head
        case bodyUntilClose
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
        case ended
    }

    private let headBytesMax: Int
    private var state = State.head
    /// What is not a whole line yet.
    private var line: [UInt8] = []
    private var headBytes = 0
    private var statusLine: String?
    private var fields: [HTTPField] = []

    /// - Parameter headBytesMax: for the head, and for the lines between chunks.
    package init(headBytesMax: Int = 64 << 10) { self.headBytesMax = headBytesMax }

    /// What these bytes complete. What follows the end of the answer is not looked at.
    package mutating func feed(_ bytes: [UInt8]) throws(TransportError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            switch state {
            case .ended: return pieces
            case .bodyUntilClose:
                pieces.append(.body(Array(rest)))
                rest = []
            case .body(let left):
                take(left, of: &rest, into: &pieces) { $0 == 0 ? .ended : .body(left: $0) }
                if case .ended = state { pieces.append(.end) }
            case .chunk(let left):
                take(left, of: &rest, into: &pieces) { $0 == 0 ? .chunkEnd : .chunk(left: $0) }
            case .head, .chunkSize, .chunkEnd, .trailers:
                guard let text = try nextLine(of: &rest) else { return pieces }
                try received(text, into: &pieces)
            }
        }
        return pieces
    }

    /// The connection has ended.
    /// - Throws: where the answer was not over.
    package mutating func finish() throws(TransportError) -> [Piece] {
        switch state {
        case .ended: return []
        case .bodyUntilClose:
            state = .ended
            return [.end]
        default: throw .protocol(reason: "the connection ended in the middle of the answer")
        }
    }

    private mutating func take(
        _ left: Int, of rest: inout ArraySlice<UInt8>, into pieces: inout [Piece], _ next: (Int) -> State
    ) {
        let piece = rest.prefix(left)
        rest = rest.dropFirst(piece.count)
        if !piece.isEmpty { pieces.append(.body(Array(piece))) }
        state = next(left - piece.count)
    }

    private mutating func nextLine(of rest: inout ArraySlice<UInt8>) throws(TransportError) -> String? {
        let piece = rest.prefix { $0 != UInt8(ascii: "\n") }
        headBytes += piece.count + 1
        guard headBytes <= headBytesMax else {
            throw .protocol(reason: "the answer's head is longer than \(headBytesMax) bytes")
        }
        line += piece
        rest = rest.dropFirst(piece.count)
        guard !rest.isEmpty else { return nil }
        rest = rest.dropFirst()
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func received(_ text: String, into pieces: inout [Piece]) throws(TransportError) {
        switch state {
        case .head: try receivedHead(text, into: &pieces)
        case .chunkSize:
            let size = text.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
            guard !size.isEmpty, size.allSatisfy(\.isHexDigit), let count = Int(size, radix: 16) else {
                throw .protocol(reason: "a chunk of the answer has no size")
            }
            headBytes = 0
            state = count == 0 ? .trailers : .chunk(left: count)
        case .chunkEnd:
            guard text.isEmpty else { throw .protocol(reason: "a chunk of the answer is longer than its size") }
            state = .chunkSize
        case .trailers:
            if text.isEmpty {
                state = .ended
                pieces.append(.end)
            }
        case .bodyUntilClose, .body, .chunk, .ended: preconditionFailure("only lines are read by line")
        }
    }

    private mutating func receivedHead(_ text: String, into pieces: inout [Piece]) throws(TransportError) {
        guard let statusLine else {
            guard text.hasPrefix("HTTP/1.") else { throw .protocol(reason: "the answer is not HTTP/1.1") }
            statusLine = text
            return
        }
        guard text.isEmpty else {
            guard let colon = text.firstIndex(of: ":"), HTTPField.isToken(String(text[..<colon])) else {
                throw .protocol(reason: "the answer has a malformed header")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields.append(HTTPField(String(text[..<colon]), String(value)))
            return
        }
        let words = statusLine.split(separator: " ")
        guard words.count > 1, words[1].utf8.count == 3, let status = Int(words[1]), status >= 100 else {
            throw .protocol(reason: "the answer has no status")
        }
        let head = Head(status: status, headers: fields)
        self.statusLine = nil
        fields = []
        headBytes = 0
        // 1xx only announces the answer.
        if status < 200 { return }
        pieces.append(.head(head))
        state = try Self.body(of: head)
        if case .ended = state { pieces.append(.end) }
    }

    private static func body(of head: Head) throws(TransportError) -> State {
        if head.status == 204 || head.status == 304 { return .ended }
        if let coding = head["Transfer-Encoding"] {
            guard coding.lowercased() == "chunked" else {
                throw .protocol(reason: "the answer's transfer coding is not chunked")
            }
            return .chunkSize
        }
        guard let text = head["Content-Length"] else { return .bodyUntilClose }
        guard let length = Int(text), length >= 0 else {
            throw .protocol(reason: "the answer's Content-Length is no number")
        }
        return length == 0 ? .ended : .body(left: length)
    }
}
