import Streams
import TestKit
import Testing
import YAML

@Suite struct DocumentTests {
    static let good: [(name: String, text: String, tree: String)] = [
        (
            "block mappings and lists nest", "a:\n  b: [1, 2]\n  c:\n  - x\n  - y: z\n",
            "{a: {b: [1, 2], c: [x, {y: z}]}}"
        ),
        ("an empty file is null", "", "~"),
        ("a file of comments is null", "# nothing\n", "~"),
        ("an empty document is null", "---\n", "~"),
        ("null has four spellings", "[~, null, Null, NULL]", "[~, ~, ~, ~]"),
        ("quoted null is text", "['null', \"~\"]", "[null, ~]"),
        ("a tag makes null text", "a: !!str null", "{a: null}"),
        ("an alias stands for its anchor", "a: &x [1]\nb: *x\n", "{a: [1], b: [1]}"),
        ("an anchor set again holds for what follows", "a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"),
        (
            "a merged mapping fills in", "a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n",
            "{a: {k: 1, l: 2}, b: {k: 3, l: 2}}"
        ),
        (
            "of merged mappings the first wins", "a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n",
            "{a: {k: 1}, b: {k: 2, m: 3}, c: {k: 1, m: 3}}"
        ),
        ("merges go through merges", "a: &x {k: 1}\nb: &y {<<: *x}\nc: {<<: *y}", "{a: {k: 1}, b: {k: 1}, c: {k: 1}}"),
        ("quoted << is a key", "a: {'<<': 1}", "{a: {<<: 1}}"),
        ("CRLF ends lines", "a: 1\r\nb:\r\n- 2\r\n", "{a: 1, b: [2]}"),
        ("a byte order mark is skipped", "\u{FEFF}a: 1", "{a: 1}"),
        ("numbers keep their text", "[010, 0x1F, 1_000, 1e3]", "[010, 0x1F, 1_000, 1e3]"),
        ("JSON is YAML", "{\"a\": [true, null, \"x\"]}", "{a: [true, ~, x]}"),
    ]

    @Test("Good documents become trees", arguments: good)
    func reads(name: String, text: String, tree: String) throws {
        #expect(try parse(text).flat == tree, "\(name)")
    }

    static let bad: [(text: String, problem: String)] = [
        ("a: 1\na: 2\n", "f.yaml:2:1: key \"a\" is already set in line 1"),
        (
            "a: [1, 2\n",
            "f.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence that starts in line 1"
        ),
        ("a:\n\tb: 1\n", "f.yaml:2:1: a tab cannot indent YAML; use spaces"),
        ("a: b: c\n", "f.yaml:1:5: mapping values are not allowed in this context"),
        ("a: *x\n", "f.yaml:1:4: this alias has no anchor before it; text that begins with \"*\" stands in quotes"),
        ("a: &x [*x]\n", "f.yaml:1:8: this alias refers to a node that contains it"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here; only one is allowed in a file"),
        ("a: {<<: 1}\n", "f.yaml:1:9: expected a mapping or a list of mappings to merge, found \"1\""),
        ("? [a]\n: 1\n", "f.yaml:1:3: expected text as a key, found a list"),
        ("a: !foo 1\n", "f.yaml:1:4: tags are not supported here; text that begins with \"!\" stands in quotes"),
        ("a: !!binary aGk=\n", "f.yaml:1:4: tags are not supported here; text that begins with \"!\" stands in quotes"),
        ("a: \"x\u{01}\"\n", "f.yaml:1:6: control character 0x01 is not allowed in YAML"),
        ("a: ü\nb: \u{FEFF}x\n", "f.yaml:2:4: character U+FEFF is not allowed in YAML"),
        ("äöü: 1\näöü: 2\n", "f.yaml:2:1: key \"äöü\" is already set in line 1"),
    ]

    @Test("Bad documents are told with their place", arguments: bad)
    func refuses(text: String, problem: String) {
        #expect(problems(text) == problem)
    }

    @Test(
        "a password that was not quoted is not told",
        arguments: ["*hunter2", "!hunter2", "&hunter2 *hunter2", "!hunter2 x"])
    func unquotedSecrets(_ text: String) {
        let problems = problems("smtp_auth_password: \(text)\n")
        #expect(!problems.isEmpty && !problems.contains("hunter2"), "\(problems)")
    }

    @Test func `several duplicate keys are told at once`() {
        #expect(
            problems("a: 1\na: 2\nb: {c: 1, c: 2}\n") == """
                f.yaml:2:1: key "a" is already set in line 1
                f.yaml:3:11: key "c" is already set in line 3
                """)
    }

    static let invalid: [(bytes: [UInt8], problem: String)] = [
        ([0x61, 0x3A, 0x20, 0xFF], "f.yaml:1:4: byte 0xFF is not valid UTF-8; save the file as UTF-8"),
        ([0xFF, 0xFE, 0x61, 0x00], "f.yaml:1:1: byte 0xFF is not valid UTF-8; save the file as UTF-8"),
        ([0x61, 0x0A, 0xC3, 0xA4, 0xC3], "f.yaml:2:2: byte 0xC3 is not valid UTF-8; save the file as UTF-8"),
        ([0xC0, 0x80], "f.yaml:1:1: byte 0xC0 is not valid UTF-8; save the file as UTF-8"),
        ([0xED, 0xA0, 0x80], "f.yaml:1:1: byte 0xED is not valid UTF-8; save the file as UTF-8"),
    ]

    @Test("Invalid UTF-8 is told with its place", arguments: invalid)
    func refusesBytes(bytes: [UInt8], problem: String) {
        #expect(throws: ConfigError.self) { try SourceText(bytes, file: "f.yaml") }
        do throws(ConfigError) { _ = try SourceText(bytes, file: "f.yaml") } catch {
            #expect(error.description == problem)
        }
    }

    @Test func `only the first document is read where that is asked for`() throws {
        #expect(try parse("a: 1\n---\n]", documents: .first).flat == "{a: 1}")
    }

    @Test func `an alias bomb is refused before it is expanded`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(problems(text).contains("more than 1000000 nodes with all aliases followed"))
        #expect(problems(text).hasPrefix("f.yaml:6:"))
    }

    @Test func `depth is bounded, through aliases too`() {
        let deep = String(repeating: "[", count: 5000)
        #expect(problems(deep) == "f.yaml:1:101: nested deeper than 100 levels")
        let text = "a: &x " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60) + "\nb: "
        let half = String(repeating: "[", count: 60)
        #expect(problems(text + half + "*x") == "f.yaml:2:64: nested deeper than 100 levels")
    }

    @Test func `size is bounded`() {
        let limits = ParseLimits(sizeBytesMax: 10, nodesMax: 10, depthMax: 10, interpolatedBytesMax: 10)
        #expect(
            problems("aaaaaaaaaaa", limits: limits)
                == "f.yaml:1:1: the file has 11 bytes; at most 10 are allowed")
        #expect(
            problems("[1,2,3,4]", limits: .init(sizeBytesMax: 99, nodesMax: 3, depthMax: 9, interpolatedBytesMax: 9))
                == "f.yaml:1:8: more than 3 nodes with all aliases followed")
    }

    @Test func `mutated files never crash the reader`() {
        var generator = SeededGenerator(seed: 42)
        let seeds =
            Self.good.map(\.text) + [
                "a: |\n  x\n  y\n\nb: >-\n  one\n   two\n\n  three\n", "k: \"a\\x41\\u00e4\\\n  b\"\n",
                "${A} $$ ${B:-c}",
            ]
        let alphabet = Array("\t\n\r \"'#&*!|>{}[],:?-~%@`\\${}aä0<".utf8)
        for round in 0..<4000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0...Int(generator.next() % 4) {
                let place = bytes.isEmpty ? 0 : Int(generator.next() % UInt64(bytes.count))
                let byte = alphabet[Int(generator.next() % UInt64(alphabet.count))]
                switch generator.next() % 3 {
                case 0 where !bytes.isEmpty: bytes[place] = byte
                case 1 where !bytes.isEmpty: bytes.remove(at: place)
                default: bytes.insert(byte, at: place)
                }
            }
            let diagnostics = Diagnostics()
            guard let source = try? SourceText(bytes, file: "f.yaml") else { continue }
            let node = DocumentParser.parse(
                source, environment: Environment(["A": "x"]), diagnostics: diagnostics)
            if let node { touch(node) }
        }
    }

    /// Asks for every position in the tree.
    private func touch(_ node: Node) {
        switch node.content {
        case .scalar(let scalar): for offset in 0...scalar.text.utf8.count { _ = node.location(ofByte: offset) }
        case .sequence(let items): for item in items { touch(item) }
        case .mapping(let entries):
            for entry in entries {
                touch(entry.key)
                touch(entry.value)
            }
        }
    }
}
