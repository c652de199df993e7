/// Takes the characters of a float without a string in between.
private struct FloatCharacters: TextOutputStream {
    /// `-1.7976931348623157e+308` is the longest.
    private(set) var bytes = InlineArray<32, UInt8>(repeating: 0)
    private(set) var count = 0

    mutating func write(_ string: String) {
        for byte in string.utf8 { append(byte) }
    }

    /// What the standard library calls for text that is known to be ASCII, as a float's is.
    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) {
        for byte in buffer { append(byte) }
    }

    private mutating func append(_ byte: UInt8) {
        if count < 32 { bytes[count] = byte }
        count += 1
    }
}

/// Appends the text of `formatFloat(value, .fixed)`: the fewest digits that read back as the same value, as Go writes it
/// without an exponent. For those who write many numbers: most cost no allocation.
package func appendFixedFloat(_ value: Double, to text: inout [UInt8]) {
    guard value.magnitude < 9e15, value == value else {
        text += formatFloat(value, .fixed).utf8
        return
    }
    let whole = Int64(value)
    if Double(whole) == value, whole != 0 || value.sign == .plus {
        appendInteger(whole, to: &text)
        return
    }
    var characters = FloatCharacters()
    value.write(to: &characters)
    // Below 1e-4 the standard library writes an exponent.
    guard value.magnitude >= 1e-4, characters.count <= 32 else {
        text += formatFloat(value, .fixed).utf8
        return
    }
    characters.bytes.span.withUnsafeBufferPointer { text.append(contentsOf: $0.prefix(characters.count)) }
}

/// Appends the decimal digits of an integer.
package func appendInteger(_ value: Int64, to text: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
        var rest = value.magnitude
        var start = digits.count
        repeat {
            let quotient = rest / 10
            start -= 1
            digits.initializeElement(
                at: start, to: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10))
            rest = quotient
        } while rest > 0
        if value < 0 { text.append(UInt8(ascii: "-")) }
        text.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
    }
}
