import Sources
import Streams
import TestKit
import Testing

@Suite struct ExpositionFloatTests {
    private static func text(_ generator: inout SeededGenerator) -> String {
        func digits(_ count: Int) -> String {
            String((0..<count).map { _ in Character(Unicode.Scalar(UInt8.random(in: 48...57, using: &generator))) })
        }
        var text = ["", "", "-", "+"].randomElement(using: &generator) ?? ""
        text += digits(Int.random(in: 0...21, using: &generator))
        if Bool.random(using: &generator) { text += "." + digits(Int.random(in: 0...21, using: &generator)) }
        if Int.random(in: 0..<3, using: &generator) == 0 {
            text += ["e", "E"].randomElement(using: &generator) ?? ""
            text += ["", "-", "+"].randomElement(using: &generator) ?? ""
            text += "\(Int.random(in: 0...330, using: &generator))"
        }
        return text
    }

    @Test func `decimal numbers are rounded to the nearest double`() {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<20_000 {
            let text = Self.text(&generator)
            let hasDigits = text.prefix { $0 != "e" && $0 != "E" }.contains { $0.isNumber }
            // The standard library does not take a leading or trailing point.
            let plain = text.replacing(/^([-+]?)\./) { "\($0.output.1)0." }.replacing(/\.(?![0-9])/, with: "")
            let wanted = hasDigits ? Double(plain).flatMap { $0.isFinite ? $0 : nil } : nil
            let got = FloatParser.parse(text)
            #expect(got?.bitPattern == wanted?.bitPattern, "\(text)")
        }
    }

    @Test func `any double is read back from its shortest text`() {
        var generator = SeededGenerator(seed: 22)
        for _ in 0..<20_000 {
            let small = Double.random(in: -1...1, using: &generator)
            let any = Double(bitPattern: generator.next())
            for value in [small, any, any.rounded()] where value.isFinite {
                #expect(FloatParser.parse("\(value)")?.bitPattern == value.bitPattern, "\(value)")
            }
        }
    }

    @Test(arguments: [
        ("Inf", Double.infinity), ("+inf", .infinity), ("-INFINITY", -.infinity), ("1e-400", 0), ("-0", -0.0),
        ("179769313486231570000000000000000000000e270", 1.7976931348623157e308), ("4.9e-324", .leastNonzeroMagnitude),
        ("9007199254740993", 9_007_199_254_740_992), ("9007199254740995", 9_007_199_254_740_996),
        ("0000000000000000000000001", 1),
        ("1e22", 1e22), ("1e23", 1e23), ("123456789012345678e-27", 1.2345678901234568e-10),
        ("18446744073709551615", 18446744073709551616), ("99999999999999999999", 1e20),
    ])
    func `special numbers are read`(_ text: String, _ value: Double) {
        #expect(FloatParser.parse(text)?.bitPattern == value.bitPattern)
    }

    @Test(arguments: [
        "", "-", "+", ".", "e5", "1e", "1e+", "1e400", "-1e400", "0x1", "0x1p-2", "1_000", "1.2.3", "--1", "1d", " 1",
        "1 ",
        "+NaN", "-nan", "nanx", "in", "infinit", "1e99999999999999999999", "١",
    ])
    func `what is no number is none`(_ text: String) {
        #expect(FloatParser.parse(text) == nil)
    }
}
