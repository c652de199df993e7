/// The text of one configuration file: valid UTF-8 without control characters, and the way from a byte in it to a line
/// and a column. A byte order mark at its start is left out.
package final class SourceText: Sendable {
    package let file: String
    package let bytes: [UInt8]
    private let lineStarts: [Int]
    /// How many characters stand before each 256th byte; nil when every character is one byte.
    private let characters: [Int]?

    private static let stride = 256

    /// - Throws: when it is larger than `sizeMax` bytes, no valid UTF-8 or holds a control character.
    package init(_ text: [UInt8], file: String, sizeMax: Int = ParseLimits.standard.sizeBytesMax) throws(ConfigError) {
        let start = SourceLocation(file: file, line: 1, column: 1)
        guard text.count <= sizeMax else {
            throw ConfigError(start, .limit("the file has \(text.count) bytes; at most \(sizeMax) are allowed"))
        }
        let bytes = text.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.dropFirst(3)) : text
        let scan = Self.scan(bytes)
        self.file = file
        self.bytes = bytes
        lineStarts = scan.lineStarts
        characters = scan.isASCII ? nil : scan.characters
        if let (offset, problem) = scan.failure { throw ConfigError(location(at: offset), .syntax(problem)) }
    }

    package convenience init(_ text: String, file: String) throws(ConfigError) {
        try self.init(Array(text.utf8), file: file)
    }

    /// The place of the byte at `offset`; past the end it is the end.
    package func location(at offset: Int) -> SourceLocation {
        let offset = min(max(offset, 0), bytes.count)
        let line = lineStarts.partition { $0 > offset } - 1
        let column = charactersBefore(offset) - charactersBefore(lineStarts[line])
        return SourceLocation(file: file, line: line + 1, column: column + 1)
    }

    /// The line of that number, from 1, without its end; nil where there is none.
    package func line(_ number: Int) -> String? {
        guard lineStarts.indices.contains(number - 1) else { return nil }
        let line = bytes[lineStarts[number - 1]...].prefix { $0 != 0x0A && $0 != 0x0D }
        return String(decoding: line, as: UTF8.self)
    }

    /// The offset of the character with that index, as libyaml counts: in characters, not bytes.
    func byteOffset(ofCharacter index: Int) -> Int {
        guard let characters else { return min(index, bytes.count) }
        let block = max(characters.partition { $0 > index } - 1, 0)
        var offset = block * Self.stride
        var remaining = index - characters[block]
        while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
        while remaining > 0, offset < bytes.count {
            offset += 1
            while offset < bytes.count, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            remaining -= 1
        }
        return offset
    }

    private func charactersBefore(_ offset: Int) -> Int {
        guard let characters else { return offset }
        let block = offset / Self.stride
        var count = characters[block]
        for byte in bytes[(block * Self.stride)..<offset] where byte & 0xC0 != 0x80 { count += 1 }
        return count
    }

    private struct Scan {
        var lineStarts = [0]
        var characters: [Int] = []
        var isASCII = true
        var failure: (offset: Int, problem: String)?
    }

    private static func scan(_ bytes: [UInt8]) -> Scan {
        var scan = Scan()
        var count = 0
        for (offset, byte) in bytes.enumerated() {
            if offset % stride == 0 { scan.characters.append(count) }
            if byte & 0xC0 != 0x80 { count += 1 }
            if byte == 0x0A || (byte == 0x0D && !(offset + 1 < bytes.count && bytes[offset + 1] == 0x0A)) {
                scan.lineStarts.append(offset + 1)
            }
            if byte >= 0x80 { scan.isASCII = false }
        }
        if bytes.count % stride == 0 { scan.characters.append(count) }
        scan.failure = firstFailure(bytes)
        return scan
    }

    private static func firstFailure(_ bytes: [UInt8]) -> (offset: Int, problem: String)? {
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte < 0x80 {
                if (byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D) || byte == 0x7F {
                    return (offset, "control character 0x\(hexadecimal(byte)) is not allowed in YAML")
                }
                offset += 1
                continue
            }
            guard let (scalar, length) = decodeScalar(bytes, at: offset) else {
                return (offset, "byte 0x\(hexadecimal(byte)) is not valid UTF-8; save the file as UTF-8")
            }
            if (scalar >= 0x80 && scalar < 0xA0 && scalar != 0x85) || scalar == 0xFEFF || scalar == 0xFFFE
                || scalar == 0xFFFF
            {
                let code = String(scalar, radix: 16, uppercase: true)
                return (offset, "character U+\(code) is not allowed in YAML")
            }
            offset += length
        }
        return nil
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    /// One character of more than one byte; nil where it is not well-formed (RFC 3629).
    private static func decodeScalar(_ bytes: [UInt8], at offset: Int) -> (scalar: UInt32, length: Int)? {
        let first = bytes[offset]
        let (length, bits, least): (Int, UInt8, UInt32) =
            switch first {
            case 0xC2...0xDF: (2, 0x1F, 0x80)
            case 0xE0...0xEF: (3, 0x0F, 0x800)
            case 0xF0...0xF4: (4, 0x07, 0x10000)
            default: (0, 0, 0)
            }
        guard length > 0, offset + length <= bytes.count else { return nil }
        var scalar = UInt32(first & bits)
        for byte in bytes[(offset + 1)..<(offset + length)] {
            guard byte & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, length)
    }
}

extension Array {
    /// The index of the first element that `isAfter` holds for, where it holds for all that follow: a binary search.
    func partition(_ isAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
