import Streams

/// Decimal floating-point text to `Double`, correctly rounded, as Go's ParseFloat takes it within expositions: with
/// `Inf`, `Infinity` and `NaN` in any case, without hexadecimal digits and underscores.
package enum FloatParser {
    /// Reads a whole token. nil: it is no number, or one out of range.
    package static func parse(_ token: UnsafeBufferPointer<UInt8>) -> Double? {
        guard let start = token.baseAddress, token.count > 0 else { return nil }
        let end = start + token.count
        var cursor = start
        if let value = plain(&cursor, end), cursor == end { return value }
        return special(token) ?? long(token)
    }

    package static func parse(_ text: some StringProtocol) -> Double? {
        var text = String(text)
        return text.withUTF8 { parse($0) }
    }

    /// Up to 19 digits with a small exponent; leaves `cursor` behind what was read. nil: not of that kind.
    private static func plain(_ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Double? {
        let count = end - cursor
        if count > 40 { return nil }
        // The scan reads ahead and needs a byte that ends the number, so it works on a padded copy.
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { scratch in
            guard let base = scratch.baseAddress else { return nil }
            base.initialize(repeating: 0x0A, count: 64)
            base.update(from: cursor, count: count)
            var place = UnsafePointer(base)
            guard let value = scan(&place) else { return nil }
            cursor += place - UnsafePointer(base)
            return value
        }
    }

    /// Reads the decimal number at `cursor`, whose text must end with a byte that no number holds, followed by at least
    /// eight readable bytes. nil: no number, or one that takes `parse` to read; `cursor` is then of no use.
    @inline(__always)
    package static func scan(_ cursor: inout UnsafePointer<UInt8>) -> Double? {
        var place = cursor
        let isNegative = place.pointee == UInt8(ascii: "-")
        if isNegative || place.pointee == UInt8(ascii: "+") { place += 1 }
        var mantissa: UInt64 = 0
        let wholeStart = place
        digits(&place, &mantissa)
        var count = place - wholeStart
        var exponent = 0
        if place.pointee == UInt8(ascii: ".") {
            place += 1
            let fractionStart = place
            digits(&place, &mantissa)
            exponent = fractionStart - place
            count -= exponent
        }
        if count == 0 || count > 19 { return nil }
        if place.pointee | 0x20 == UInt8(ascii: "e") {
            place += 1
            let isDown = place.pointee == UInt8(ascii: "-")
            if isDown || place.pointee == UInt8(ascii: "+") { place += 1 }
            let start = place
            var power = 0
            while place.pointee &- 48 < 10, place - start < 5 {
                power = power &* 10 &+ Int(place.pointee &- 48)
                place += 1
            }
            if place == start || place - start == 5 { return nil }
            exponent += isDown ? -power : power
        }
        cursor = place
        guard let value = combine(mantissa, exponent) else { return nil }
        return isNegative ? -value : value
    }

    @inline(__always)
    private static func digits(_ place: inout UnsafePointer<UInt8>, _ mantissa: inout UInt64) {
        while true {
            let word = UnsafeRawPointer(place).loadUnaligned(as: UInt64.self).littleEndian
            // Eight digits at once: every byte has 3 in its upper half, and adding 6 does not carry out of the lower.
            if word & 0xF0F0_F0F0_F0F0_F0F0 != 0x3030_3030_3030_3030 { break }
            if (word &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0 != 0x3030_3030_3030_3030 { break }
            var block = word &- 0x3030_3030_3030_3030
            block = block &* 10 &+ block &>> 8
            let pairs = (block & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
            let other = (block &>> 16 & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
            mantissa = mantissa &* 100_000_000 &+ (pairs &+ other) &>> 32
            place += 8
        }
        while place.pointee &- 48 < 10 {
            mantissa = mantissa &* 10 &+ UInt64(place.pointee &- 48)
            place += 1
        }
    }

    /// `mantissa * 10^exponent`, correctly rounded; nil when the exponent is too large for exact arithmetic in 128 bits.
    @inline(__always)
    private static func combine(_ mantissa: UInt64, _ exponent: Int) -> Double? {
        if mantissa == 0 { return 0 }
        if mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
            // Both operands are exact, so IEEE rounds once (Clinger's fast path).
            let value = Double(mantissa)
            return exponent < 0 ? value / tenPowers[-exponent] : value * tenPowers[exponent]
        }
        if exponent < -27 || exponent > 27 { return nil }
        return exact(mantissa, exponent)
    }

    /// By an integer division, or product, of 128 bits and one rounding to 53.
    @inline(never)
    private static func exact(_ mantissa: UInt64, _ exponent: Int) -> Double {
        let shift = mantissa.leadingZeroBitCount
        let dividend = mantissa &<< UInt64(shift)
        var high: UInt64
        var power: Int
        let isInexact: Bool
        if exponent < 0 {
            let five = fivePowers[-exponent]
            let fiveShift = five.leadingZeroBitCount
            let divisor = five &<< UInt64(fiveShift)
            power = exponent + fiveShift - shift
            let division: (quotient: UInt64, remainder: UInt64)
            if dividend < divisor {
                division = divisor.dividingFullWidth((dividend, 0))
                power -= 64
            } else {
                division = divisor.dividingFullWidth((dividend &>> 1, dividend &<< 63))
                power -= 63
            }
            high = division.quotient
            isInexact = division.remainder != 0
        } else {
            let product = dividend.multipliedFullWidth(by: fivePowers[exponent])
            let lead = product.high.leadingZeroBitCount
            if lead == 64 {
                high = product.low
                power = exponent - shift
                let more = high.leadingZeroBitCount
                high = high &<< UInt64(more)
                power -= more
                isInexact = false
            } else {
                high = lead == 0 ? product.high : product.high &<< UInt64(lead) | product.low &>> UInt64(64 - lead)
                isInexact = lead == 0 ? product.low != 0 : product.low &<< UInt64(lead) != 0
                power = exponent - shift + 64 - lead
            }
        }
        // 64 bits with the top one set; round to 53, ties to even.
        let kept = high &>> 11
        let rest = high & 0x7FF
        let isUp = rest > 0x400 || (rest == 0x400 && (isInexact || kept & 1 == 1))
        let significand = Double(kept &+ (isUp ? 1 : 0))
        return significand * Double(bitPattern: UInt64(1023 + power + 11) &<< 52)
    }

    private static let tenPowers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    private static let fivePowers: [UInt64] = {
        var powers: [UInt64] = [1]
        while powers.count < 28 { powers.append(powers[powers.count - 1] * 5) }
        return powers
    }()

    private static func special(_ token: UnsafeBufferPointer<UInt8>) -> Double? {
        var rest = token[...]
        var isSigned = false
        var isNegative = false
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isSigned = true
            isNegative = first == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        func reads(_ word: StaticString) -> Bool {
            guard rest.count == word.utf8CodeUnitCount else { return false }
            return word.withUTF8Buffer { name in zip(rest, name).allSatisfy { $0 | 0x20 == $1 } }
        }
        if reads("inf") || reads("infinity") { return isNegative ? -.infinity : .infinity }
        if reads("nan"), !isSigned { return StaleMarker.normalNaN }
        return nil
    }

    /// Numbers with many digits or a large exponent, through the standard library's exact conversion.
    private static func long(_ token: UnsafeBufferPointer<UInt8>) -> Double? {
        guard isDecimal(token), let value = Double(String(decoding: token, as: UTF8.self)) else { return nil }
        return value.isFinite ? value : nil
    }

    private static func isDecimal(_ token: UnsafeBufferPointer<UInt8>) -> Bool {
        var rest = token[...]
        func dropSign() {
            if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
                rest = rest.dropFirst()
            }
        }
        func dropDigits() -> Int {
            let tail = rest.drop { $0 &- 48 < 10 }
            defer { rest = tail }
            return rest.count - tail.count
        }
        dropSign()
        var digits = dropDigits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            digits += dropDigits()
        }
        if digits == 0 { return false }
        if let first = rest.first, first | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            dropSign()
            if dropDigits() == 0 { return false }
        }
        return rest.isEmpty
    }
}
