/// From a byte of a scalar's value to the byte of the file that it came from, found by reading the scalar once more the way
/// libyaml does (YAML 1.1, chapters 5 and 9), now with positions.
struct ScalarMap {
    private var value: [UInt8] = []
    private var offsets: [Int] = []
    private let bytes: [UInt8]
    private let range: Range<Int>
    private var index: Int

    private init(_ node: Node) {
        bytes = node.source.bytes
        range = node.range
        index = range.lowerBound
    }

    /// The offsets in the file of each byte of the value; nil where the value is not what the file says.
    static func offsets(of node: Node) -> [Int]? {
        guard let scalar = node.scalar, scalar.written == nil else { return nil }
        let expected = Array(scalar.text.utf8)
        var map = ScalarMap(node)
        switch scalar.style {
        case .plain: map.readFlow(until: nil)
        case .singleQuoted: map.readFlow(until: UInt8(ascii: "'"))
        case .doubleQuoted: map.readFlow(until: UInt8(ascii: "\""))
        case .literal, .folded: return blockOffsets(node, folded: scalar.style == .folded, expected)
        }
        return map.value == expected ? map.offsets : nil
    }

    private mutating func emit(_ byte: UInt8, from offset: Int) {
        value.append(byte)
        offsets.append(offset)
    }

    private func isBreak(_ offset: Int) -> Bool {
        offset < range.upperBound && (bytes[offset] == 0x0A || bytes[offset] == 0x0D)
    }

    private func isBlank(_ offset: Int) -> Bool {
        offset < range.upperBound && (bytes[offset] == 0x20 || bytes[offset] == 0x09)
    }

    private mutating func skipBreak() {
        index += bytes[index] == 0x0D && index + 1 < range.upperBound && bytes[index + 1] == 0x0A ? 2 : 1
    }

    // MARK: plain and quoted

    private mutating func readFlow(until quote: UInt8?) {
        if quote != nil { index += 1 }
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == quote {
                guard quote == UInt8(ascii: "'"), index + 1 < range.upperBound, bytes[index + 1] == quote else {
                    return
                }
                emit(byte, from: index)
                index += 2
            } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                readEscape()
            } else if isBlank(index) || isBreak(index) {
                foldSpace()
            } else {
                emit(byte, from: index)
                index += 1
            }
        }
    }

    /// Blanks stay, unless a line break follows: one becomes a space, more lose the first.
    private mutating func foldSpace(escaped: Bool = false) {
        var blanks: [Int] = []
        while isBlank(index) {
            blanks.append(index)
            index += 1
        }
        guard isBreak(index) else {
            for offset in blanks { emit(bytes[offset], from: offset) }
            return
        }
        var breaks: [Int] = []
        while isBreak(index) || isBlank(index) {
            if isBreak(index) {
                breaks.append(index)
                skipBreak()
            } else {
                index += 1
            }
        }
        if breaks.count == 1 { emit(0x20, from: breaks[0]) }
        for offset in breaks.dropFirst() { emit(0x0A, from: offset) }
    }

    private mutating func readEscape() {
        let start = index
        index += 1
        guard index < range.upperBound else { return }
        if isBreak(index) {
            skipBreak()
            while isBreak(index) || isBlank(index) {
                if isBreak(index) {
                    emit(0x0A, from: index)
                    skipBreak()
                } else {
                    index += 1
                }
            }
            return
        }
        let code = bytes[index]
        index += 1
        let digits: Int? =
            switch code {
            case UInt8(ascii: "x"): 2
            case UInt8(ascii: "u"): 4
            case UInt8(ascii: "U"): 8
            default: nil
            }
        if let digits {
            let end = min(index + digits, range.upperBound)
            let number = UInt32(String(decoding: bytes[index..<end], as: UTF8.self), radix: 16) ?? 0
            index = end
            for byte in String(Unicode.Scalar(number) ?? "\u{FFFD}").utf8 { emit(byte, from: start) }
        } else {
            for byte in Self.simpleEscape(code).utf8 { emit(byte, from: start) }
        }
    }

    private static func simpleEscape(_ code: UInt8) -> String {
        switch code {
        case UInt8(ascii: "0"): "\0"
        case UInt8(ascii: "a"): "\u{07}"
        case UInt8(ascii: "b"): "\u{08}"
        case UInt8(ascii: "t"), 0x09: "\t"
        case UInt8(ascii: "n"): "\n"
        case UInt8(ascii: "v"): "\u{0B}"
        case UInt8(ascii: "f"): "\u{0C}"
        case UInt8(ascii: "r"): "\r"
        case UInt8(ascii: "e"): "\u{1B}"
        case UInt8(ascii: "N"): "\u{85}"
        case UInt8(ascii: "_"): "\u{A0}"
        case UInt8(ascii: "L"): "\u{2028}"
        case UInt8(ascii: "P"): "\u{2029}"
        default: String(Unicode.Scalar(code))
        }
    }

    // MARK: literal and folded

    /// The indentation is not written down where the scalar is, so the one that gives the known value is looked for.
    private static func blockOffsets(_ node: Node, folded: Bool, _ expected: [UInt8]) -> [Int]? {
        var detected = ScalarMap(node)
        let (chomping, first) = detected.readBlockHeader()
        for indent in [first] + Array(1...200) {
            var map = ScalarMap(node)
            _ = map.readBlockHeader()
            map.readBlock(indent: indent, folded: folded, chomping: chomping)
            if map.value == expected { return map.offsets }
        }
        return nil
    }

    /// Reads `|`, its indicators and the rest of the line; looks ahead for the first line's indentation.
    private mutating func readBlockHeader() -> (chomping: UInt8?, indent: Int) {
        index += 1
        var chomping: UInt8?
        while index < range.upperBound, !isBreak(index) {
            if bytes[index] == UInt8(ascii: "#") { break }
            if bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") { chomping = bytes[index] }
            index += 1
        }
        while index < range.upperBound, !isBreak(index) { index += 1 }
        if isBreak(index) { skipBreak() }
        var look = index
        var column = 0
        while look < range.upperBound, bytes[look] == 0x20 || isBreak(look) {
            column = isBreak(look) ? 0 : column + 1
            look += 1
        }
        return (chomping, max(column, 1))
    }

    private mutating func readBlock(indent: Int, folded: Bool, chomping: UInt8?) {
        var leadingBreak: Int?
        var leadingBlank = false
        var (trailing, column) = readBlockBreaks(indent)
        while column == indent, index < range.upperBound {
            let startsBlank = isBlank(index)
            if let offset = leadingBreak {
                if folded, !leadingBlank, !startsBlank {
                    if trailing.isEmpty { emit(0x20, from: offset) }
                } else {
                    emit(0x0A, from: offset)
                }
            }
            for offset in trailing { emit(0x0A, from: offset) }
            leadingBlank = startsBlank
            while index < range.upperBound, !isBreak(index) {
                emit(bytes[index], from: index)
                index += 1
            }
            leadingBreak = nil
            if isBreak(index) {
                leadingBreak = index
                skipBreak()
            }
            (trailing, column) = readBlockBreaks(indent)
        }
        if chomping != UInt8(ascii: "-"), let offset = leadingBreak { emit(0x0A, from: offset) }
        if chomping == UInt8(ascii: "+") { for offset in trailing { emit(0x0A, from: offset) } }
    }

    /// Empty lines, and the indentation of the line after them as far as `indent`.
    private mutating func readBlockBreaks(_ indent: Int) -> (breaks: [Int], column: Int) {
        var breaks: [Int] = []
        while true {
            var column = 0
            while column < indent, index < range.upperBound, bytes[index] == 0x20 {
                index += 1
                column += 1
            }
            guard isBreak(index) else { return (breaks, column) }
            breaks.append(index)
            skipBreak()
        }
    }
}

extension Node {
    /// The place in the file of the byte at `offset` of this scalar's text, through quotes, escapes, folding and
    /// indentation. Where the text came from the environment in part, it is the scalar's start.
    package func location(ofByte offset: Int) -> SourceLocation {
        guard let offsets = ScalarMap.offsets(of: self) else { return location }
        if offset < offsets.count { return source.location(at: offsets[max(offset, 0)]) }
        guard let last = offsets.last else { return location }
        // Just past the end: the character after the last one.
        var next = last + 1
        while next < source.bytes.count, source.bytes[next] & 0xC0 == 0x80 { next += 1 }
        return source.location(at: next)
    }
}
