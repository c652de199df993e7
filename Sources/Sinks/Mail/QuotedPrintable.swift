/// Text in lines of at most 76 ASCII characters (RFC 2045, section 6.7).
enum QuotedPrintable {
    private static let lineMax = 76
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func escaped(_ byte: UInt8) -> String {
        String(decoding: [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
    }

    /// The text, its line breaks of whatever kind as CR LF, with one at the end.
    static func encode(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count * 5 / 4)
        for line in lines(text) {
            var column = 0
            for (index, byte) in line.enumerated() {
                let isBlank = byte == 0x20 || byte == 0x09
                let isPlain = (byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "=")) || isBlank
                // A blank at the end of a line would be lost on the way.
                let isEscaped = !isPlain || (isBlank && index == line.count - 1)
                let width = isEscaped ? 3 : 1
                if column + width > lineMax - 1 {
                    result += Array("=\r\n".utf8)
                    column = 0
                }
                if isEscaped {
                    result += [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                } else {
                    result.append(byte)
                }
                column += width
            }
            result += [0x0d, 0x0a]
        }
        return result
    }

    private static func lines(_ text: String) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0a || byte == 0x0d {
                // CR LF is one break.
                if !(byte == 0x0a && previous == 0x0d) {
                    lines.append(line)
                    line = []
                }
            } else {
                line.append(byte)
            }
            previous = byte
        }
        if !line.isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }
}
