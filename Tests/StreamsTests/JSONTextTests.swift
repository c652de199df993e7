import Foundation
import Streams
import Testing

@Suite struct JSONTextTests {
    static let roundTrips = [
        "null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "-0", "-0.0", "1e5",
        "1E-5", "0.1e+2", "12345678901234567890", #""""#, #""a\"b\\c\nd\te""#, #""ä€😀""#, "[]", "{}",
        #"[1,[2,[3,{"a":[]}]]]"#, #"{"b":1,"a":{"c":null},"b":2}"#,
    ]

    @Test("What was read is written as it stood", arguments: roundTrips)
    func keeps(_ text: String) throws {
        #expect(try JSONValue(parsing: text.utf8).text == text)
    }

    static let readings: [(String, JSONValue)] = [
        (" \t\r\n[ 1 , 2 ] ", [.integer(1), .integer(2)]),
        (#"{ "a" : true }"#, ["a": .bool(true)]),
        (#""\u0041\/\b\f\r\u00e4\u20AC""#, .string("A/\u{8}\u{c}\rä€")),
        (#""\ud83d\ude00""#, "😀"),
        (#""\u0000""#, "\0"),
        ("-0", .number("-0")),
        ("1e400", .number("1e400")),
    ]

    @Test("White space and escapes mean what RFC 8259 says", arguments: readings)
    func reads(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text.utf8) == value)
    }

    static let bad: [(String, Int)] = [
        ("", 0), (" ", 1), ("nul", 0), ("True", 0), ("[1,]", 3), ("[1", 2), ("[1 2]", 3), (#"{"a"}"#, 4),
        (#"{"a":}"#, 5), (#"{"a":1,}"#, 7), ("{a:1}", 1), ("{1:1}", 1), ("01", 1), ("-", 1), ("+1", 0), (".5", 0),
        ("-.5", 1), ("1.", 2), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("--1", 1), ("0x10", 1), ("NaN", 0),
        ("Infinity", 0), (#""abc"#, 4), (#""\x""#, 3), (#""\u12""#, 3), (#""\u+123""#, 3), (#""\ud800""#, 7),
        (#""\ud800\u0041""#, 13), (#""\udc00""#, 7), ("\"a\nb\"", 3), ("1 1", 2), ("[]]", 2), ("'a'", 0),
    ]

    @Test("What is no JSON is refused, with the place where that shows", arguments: bad)
    func refuses(_ text: String, _ offset: Int) {
        do throws(JSONValue.SyntaxError) {
            Issue.record("\(text) was read as \(try JSONValue(parsing: text.utf8))")
        } catch {
            #expect(error.offset == offset, "\(text)")
        }
    }

    @Test func `bytes that are no UTF-8 are refused`() {
        #expect(throws: JSONValue.SyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func `depth is bounded`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue(parsing: nested(128))
        #expect(throws: JSONValue.SyntaxError.self) { try JSONValue(parsing: nested(129)) }
        #expect(throws: JSONValue.SyntaxError.self) {
            try JSONValue(parsing: [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
        }
    }

    @Test func `of members with the same name the last one counts`() throws {
        let value = try JSONValue(parsing: #"{"a":1,"a":"x"}"#.utf8)
        #expect(value["a"]?.string == "x" && value["b"] == nil)
        #expect(value.string == nil && value.items == nil && value.bool == nil)
    }

    @Test func `every character that must be escaped is, so that any reader reads the same`() throws {
        let text = String(String.UnicodeScalarView((0..<0x180).compactMap { Unicode.Scalar($0) })) + "\u{2028}😀"
        let written = JSONValue.array([.string(text)]).bytes
        #expect(!written.contains { $0 < 0x20 })
        #expect(try JSONDecoder().decode([String].self, from: Data(written)) == [text])
        #expect(try JSONValue(parsing: written) == [.string(text)])
    }
}
