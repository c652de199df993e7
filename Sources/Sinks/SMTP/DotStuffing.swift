/// How a message travels behind DATA (RFC 5321, section 4.5.2): a dot that begins a line is doubled, and a dot alone ends it.
enum DotStuffing {
    static func stuffed(_ message: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(message.count + 64)
        var isLineStart = true
        for byte in message {
            if isLineStart, byte == UInt8(ascii: ".") { result.append(byte) }
            result.append(byte)
            isLineStart = byte == 0x0a
        }
        if !isLineStart { result += [0x0d, 0x0a] }
        return result + Array(".\r\n".utf8)
    }
}
