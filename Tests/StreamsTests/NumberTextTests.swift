import Streams
import Testing

/// Expected texts are those of Go's `strconv.FormatFloat`.
@Suite struct NumberTextTests {
    @Test(
        "The shortest text that reads back as the same value",
        arguments: [
            (0.0, "0", "0e+00", "0"), (-0.0, "-0", "-0e+00", "-0"), (1, "1", "1e+00", "1"),
            (0.1, "0.1", "1e-01", "0.1"), (100, "100", "1e+02", "100"), (123456, "123456", "1.23456e+05", "123456"),
            (1_234_567, "1234567", "1.234567e+06", "1.234567e+06"), (1e21, "1000000000000000000000", "1e+21", "1e+21"),
            (0.0001, "0.0001", "1e-04", "0.0001"), (0.00001, "0.00001", "1e-05", "1e-05"),
            (-2.5, "-2.5", "-2.5e+00", "-2.5"), (1e100, "1" + String(repeating: "0", count: 100), "1e+100", "1e+100"),
            (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5", "5e-324", "5e-324"),
            (.infinity, "+Inf", "+Inf", "+Inf"), (-.infinity, "-Inf", "-Inf", "-Inf"), (.nan, "NaN", "NaN", "NaN"),
        ] as [(Double, String, String, String)])
    func shortest(_ value: Double, fixed: String, exponent: String, general: String) {
        #expect(formatFloat(value, .fixed) == fixed)
        #expect(formatFloat(value, .exponent) == exponent)
        #expect(formatFloat(value, .general) == general)
        var bytes: [UInt8] = []
        appendFixedFloat(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == fixed)
    }

    @Test func `a float appended is the float formatted, whatever its bits`() {
        var bits: UInt64 = 7
        for round in 0..<20_000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Any bits at all, then numbers of everyday size.
            let value = round % 2 == 0 ? Double(bitPattern: bits) : Double(Int64(bitPattern: bits) >> 30) / 1000
            var bytes: [UInt8] = []
            appendFixedFloat(value, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == formatFloat(value, .fixed))
        }
        for value in [Int64.min, -1, 0, 9, 10, 1234, Int64.max] {
            var bytes: [UInt8] = []
            appendInteger(value, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == "\(value)")
        }
    }

    @Test(
        "A given precision rounds the exact value half to even",
        arguments: [
            (0.5, .fixed, 0, "0"), (1.5, .fixed, 0, "2"), (2.5, .fixed, 0, "2"), (0.125, .fixed, 2, "0.12"),
            (0.375, .fixed, 2, "0.38"), (2.675, .fixed, 2, "2.67"), (9.996, .fixed, 2, "10.00"),
            (0.0004, .fixed, 3, "0.000"), (0.0006, .fixed, 3, "0.001"), (1_603_774_568, .fixed, 3, "1603774568.000"),
            (0, .fixed, 2, "0.00"), (1e23, .fixed, 0, "99999999999999991611392"),
            (1234.5678, .exponent, 2, "1.23e+03"), (0, .exponent, 2, "0.00e+00"), (9.99, .exponent, 1, "1.0e+01"),
            (1234.5678, .general, 6, "1234.57"), (1234.5678, .general, 2, "1.2e+03"), (100_000, .general, 10, "100000"),
            (0.0000123, .general, 4, "1.23e-05"), (0, .general, 4, "0"),
            (.leastNonzeroMagnitude, .exponent, 5, "4.94066e-324"),
        ] as [(Double, FloatFormat, Int, String)])
    func rounded(_ value: Double, _ format: FloatFormat, precision: Int, text: String) {
        #expect(formatFloat(value, format, precision: precision) == text)
    }

    @Test func `the shortest text of any bits reads back as the same bits`() {
        var bits: UInt64 = 42
        for _ in 0..<2000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: bits)
            guard value.isFinite else { continue }
            for format in [FloatFormat.fixed, .exponent, .general] {
                #expect(Double(formatFloat(value, format)) == value)
            }
        }
    }
}

@Suite struct QuotedTests {
    @Test(
        "Text is quoted as Go quotes it",
        arguments: [
            ("", #""""#), ("a\"b\\", #""a\"b\\""#), ("\n\t\r\u{07}\u{1}\u{7F}", #""\n\t\r\a\x01\x7f""#),
            ("日本語😀", #""日本語😀""#),
            ("\u{A0}\u{200B}\u{FEFF}", #""\u00a0\u200b\ufeff""#), ("\u{E0001}", #""\U000e0001""#),
            ("\u{10FFFF}", #""\xff""#),
        ])
    func quotes(_ text: String, expected: String) { #expect(quoted(text) == expected) }
}
