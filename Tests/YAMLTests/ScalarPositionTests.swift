import Testing
import YAML

@Suite struct ScalarPositionTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let text: String
        /// Looked for in the value of `k`; its place in the value must lead to `place` in the file.
        let word: String
        let place: String
        var description: String { name }
        init(_ name: String, _ text: String, word: String, at place: String) {
            self.name = name
            self.text = text
            self.word = word
            self.place = place
        }
    }

    static let cases = [
        Case("plain", "k: sum(rate(x))", word: "rate", at: "1:8"),
        Case("plain after a two-byte character", "k: äö sum", word: "sum", at: "1:7"),
        Case("plain over lines", "k: a\n  b\n\n  c + word\n", word: "word", at: "4:7"),
        Case("plain with CRLF", "k: a\r\n  word\r\n", word: "word", at: "2:3"),
        Case("single-quoted", "k: 'it''s a word'", word: "word", at: "1:13"),
        Case("single-quoted over lines", "k: 'a\n\n  b word'", word: "word", at: "3:5"),
        Case("double-quoted", "k: \"a word\"", word: "word", at: "1:7"),
        Case("double-quoted with escapes", "k: \"\\\"\\n\\x41\\u00e4 word\"", word: "word", at: "1:20"),
        Case("double-quoted with an escaped line break", "k: \"ab\\\n   word\"", word: "word", at: "2:4"),
        Case("double-quoted folded", "k: \"ab  \n   word\"", word: "word", at: "2:4"),
        Case("literal", "k: |\n  first\n  a word\n", word: "word", at: "3:5"),
        Case("literal with a comment and chomping", "k: |- # c\n    first\n\n    a word\n", word: "word", at: "4:7"),
        Case("literal with an indentation indicator", "k: |2\n    x\n  word\n", word: "word", at: "3:3"),
        Case("literal kept", "k: |+\n  word\n\n\n", word: "word", at: "2:3"),
        Case("folded", "k: >\n  one\n  two\n\n  a word\n", word: "word", at: "5:5"),
        Case("folded with more indented lines", "k: >-\n  one\n    two\n  word\n", word: "word", at: "4:3"),
        Case("literal in a list", "k:\n- |\n  a word\n", word: "word", at: "3:5"),
        Case("with an anchor", "k: &x word", word: "word", at: "1:7"),
        Case("with an anchor and a tag", "k: !!str &x 'a word'", word: "word", at: "1:16"),
        Case("with an anchor on a line before", "k: &x # why\n  a word\n", word: "word", at: "2:5"),
        Case("through an alias it is where it was written", "a: &x the word\nk: *x\n", word: "word", at: "1:11"),
    ]

    @Test("A character of a value leads to its place in the file", arguments: cases)
    func places(_ example: Case) throws {
        let root = try parse(example.text)
        var node = try #require(root["k"])
        if let item = node.items?.first { node = item }
        let value = try #require(node.text)
        let offset = try #require(Array(value.utf8).firstRange(of: Array(example.word.utf8))?.lowerBound)
        #expect(node.location(ofByte: offset).description == "f.yaml:" + example.place)
    }

    @Test func `the end of a value is just after its last character`() throws {
        #expect(try parse("k: sum(x")["k"]?.location(ofByte: 5).description == "f.yaml:1:9")
        #expect(try parse("k: 'sum(ä'")["k"]?.location(ofByte: 6).description == "f.yaml:1:10")
        #expect(try parse("k: ''")["k"]?.location(ofByte: 0).description == "f.yaml:1:4")
    }

    @Test func `a value from the environment is placed at its start`() throws {
        let root = try parse("k: abc ${X} def", environment: ["X": "long value"])
        #expect(root["k"]?.location(ofByte: 17).description == "f.yaml:1:4")
    }

    @Test func `columns count characters in long lines of many bytes`() throws {
        let root = try parse("k: '" + String(repeating: "ä", count: 1000) + "word'\nl: x")
        #expect(root["k"]?.location(ofByte: 2000).description == "f.yaml:1:1005")
        #expect(root["l"]?.location.description == "f.yaml:2:4")
    }
}
