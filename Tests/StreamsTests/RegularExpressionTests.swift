import Streams
import Testing

@Suite struct RegularExpressionTests {
    /// Pattern, text, template; what Go 1.24's `ReplaceAllString` makes of them.
    static let replacements: [(String, String, String, String)] = [
        ("a", "banana", "x", "bxnxnx"),
        ("a*", "baaac", "x", "xbxcx"),
        ("", "abc", "-", "-a-b-c-"),
        ("", "", "-", "-"),
        ("x*", "äö", "-", "-ä-ö-"),
        ("a|", "ba", "-", "-b-"),
        ("(a)(b)?", "ab a", "[$1|$2]", "[a|b] [a|]"),
        ("(?P<first>\\w+) (?P<second>\\w+)", "hello world", "${second} $first", "world hello"),
        ("(?<n>a)", "a", "$n$n", "aa"),
        ("(a)", "a", "$1x", ""),
        ("(a)", "a", "${1}x", "ax"),
        ("(a)", "a", "$$1", "$1"),
        ("(a)", "a", "$", "$"),
        ("(a)", "a", "${1", "${1"),
        ("(a)", "a", "$9", ""),
        ("(a)", "a", "$0$0", "aa"),
        ("(a)", "a", "$01", ""),
        ("^a", "aaa", "x", "xaa"),
        ("a$", "aaa", "x", "aax"),
        (".", "a\nb", "x", "xxx"),
        ("[a-c]+", "abcd", "<$0>", "<abc>d"),
        ("é", "é\u{301}", "x", "x\u{301}"),
    ]

    @Test("Replacing is Go's", arguments: replacements)
    func replaces(_ pattern: String, _ text: String, _ template: String, _ result: String) throws {
        let replaced = try RegularExpression(pattern).replacingAll(in: text, with: template)
        #expect(Array(replaced.unicodeScalars) == Array(result.unicodeScalars), "\(replaced)")
    }

    static let wholes: [(String, String, Bool)] = [
        ("a|b", "b", true), ("a|b", "ab", false), ("", "", true), ("", "a", false), ("a.c", "a\nc", true),
        ("(?i)abc", "ABC", true), ("\\d+", "12", true), ("a{2,3}", "aaaa", false), ("ä", "ä", true),
        ("^$|x", "", true), ("a$", "a", true),
    ]

    @Test("The whole text has to match", arguments: wholes)
    func matches(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try RegularExpression(pattern).matches(text) == expected)
    }

    @Test(
        "What RE2 does not take is an error that quotes it",
        arguments: ["(", "a**", "[z-a]", "(?=a)", "\\8", "a{1001}"])
    func refuses(_ pattern: String) {
        do throws(RegularExpression.SyntaxError) {
            _ = try RegularExpression(pattern)
            Issue.record("\(pattern) was taken")
        } catch {
            #expect(error.description.hasPrefix("invalid regular expression \(quoted(pattern)): "))
        }
    }

    @Test func `hostile patterns cost no more than others`() throws {
        #expect(try !RegularExpression("(a+)+b").matches(String(repeating: "a", count: 100_000)))
    }

    @Test func `groups are given as byte ranges`() throws {
        let expression = try RegularExpression("(?P<a>ä)(b)?")
        #expect(expression.groupCount == 2 && expression.groupIndex(named: "a") == 1)
        #expect(expression.groupIndex(named: "b") == nil)
        #expect(expression.wholeMatch("ä") == [0..<2, 0..<2, nil])
        #expect(expression.firstMatch(in: "xäb", from: 1) == [1..<4, 1..<3, 3..<4])
        #expect(expression.wholeMatch("x") == nil)
    }
}
