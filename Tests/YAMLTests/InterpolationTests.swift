import Testing
import YAML

@Suite struct InterpolationTests {
    static let environment = ["HOST": "mail", "EMPTY": "", "EVIL": "x: [1, {", "PORT": "587", "FLAG": "true"]

    static let cases: [(text: String, value: String)] = [
        ("${HOST}", "mail"),
        ("smtp.${HOST}.org:${PORT}", "smtp.mail.org:587"),
        ("${NONE:-fallback}", "fallback"),
        ("${NONE:-}", ""),
        ("${EMPTY:-fallback}", "fallback"),
        ("${EMPTY}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("${EVIL}", "x: [1, {"),
        ("$$", "$"),
        ("$${HOST}", "${HOST}"),
        ("$1 ${1} ${12}", "$1 ${1} ${12}"),
        ("{{ $labels.job }} costs $5", "{{ $labels.job }} costs $5"),
        ("$HOST", "$HOST"),
        ("a$", "a$"),
    ]

    @Test("References are replaced, all other dollars stay", arguments: cases)
    func replaces(text: String, value: String) throws {
        #expect(try parse("k: '\(text)'", environment: Self.environment)["k"]?.text == value)
    }

    static let bad: [(text: String, problem: String)] = [
        (
            "k: abc ${NONE}",
            "f.yaml:1:8: environment variable \"NONE\" is not set; set it, or write ${NONE:-default}"
        ),
        ("k: 'abc ${HOST'", "f.yaml:1:9: \"${\" without \"}\"; write $${ for the text itself"),
        (
            "k: '${a b}'",
            "f.yaml:1:5: \"a b\" is no name of an environment variable; write $${ for the text itself"
        ),
        (
            "k: '${NONE:-${HOST}}'",
            "f.yaml:1:5: a default holds no \"{\": the first \"}\" would end it, and no reference stands in another"
        ),
        (
            "k: '${NONE:-{a}}'",
            "f.yaml:1:5: a default holds no \"{\": the first \"}\" would end it, and no reference stands in another"
        ),
        ("k: '${}'", "f.yaml:1:5: \"\" is no name of an environment variable; write $${ for the text itself"),
    ]

    @Test("What cannot be replaced is told with its place", arguments: bad)
    func refuses(text: String, problem: String) {
        #expect(problems(text, environment: Self.environment) == problem)
    }

    @Test func `without an environment nothing is replaced`() throws {
        #expect(try parse("k: ${HOST} $$")["k"]?.text == "${HOST} $$")
    }

    @Test func `keys are not replaced`() throws {
        #expect(try parse("${HOST}: 1", environment: Self.environment)["${HOST}"]?.text == "1")
    }

    @Test func `a value from the environment is never null and may be a number`() throws {
        let root = try parse("{a: '${NONE:-null}', b: '${PORT}', c: '${FLAG}'}", environment: Self.environment)
        #expect(root["a"]?.isNull == false)
        let diagnostics = Diagnostics()
        let reader = MappingReader(root, "a test", diagnostics)
        #expect(reader.text("a") == "null")
        #expect(reader.optional("b", .integer()) == 587)
        #expect(reader.bool("c", default: false))
        reader.finish()
        #expect(diagnostics.isEmpty)
    }

    @Test func `a value from the environment never shows in an error`() throws {
        let (_, problems) = try decode("k: '${HOST}'", environment: ["HOST": "hunter2"]) { node, diagnostics in
            let reader = MappingReader(node, "a test", diagnostics)
            _ = reader.optional("k", .integer())
            _ = reader.optional("k", .duration())
            _ = reader.optional("k", .url())
            _ = reader.optional("k", .size())
            reader.finish()
        }
        #expect(!problems.contains("hunter2"))
        #expect(problems.contains("f.yaml:1:4: expected a whole number, found \"${HOST}\""))
    }

    @Test func `what the environment adds is bounded`() {
        let limits = ParseLimits(sizeBytesMax: 1000, nodesMax: 1000, depthMax: 10, interpolatedBytesMax: 100)
        let text = "[" + Array(repeating: "'${A}'", count: 11).joined(separator: ",") + "]"
        #expect(
            problems(text, limits: limits, environment: ["A": "0123456789"]).hasSuffix(
                "values of the environment add more than 100 bytes to this file"))
    }
}

@Suite struct EnvironmentFileTests {
    private func read(_ text: String) throws -> (values: [String: String], problems: String) {
        let diagnostics = Diagnostics()
        let values = EnvironmentFile.parse(try SourceText(text, file: ".env"), diagnostics: diagnostics)
        return (values, ConfigErrors(diagnostics.errors).description)
    }

    @Test func `every way of writing a line is read`() throws {
        let (values, problems) = try read(
            """
            # a comment
            A=1
              export B = two words  # comment
            C='single $X # not a comment'
            D="double \\"x\\" \\n \\$"
            E=
            F=a#b
            G="two
            lines"
            A=again\r
            H= # nothing
            export=odd

            """)
        #expect(problems == "")
        #expect(
            values == [
                "A": "again", "B": "two words", "C": "single $X # not a comment", "D": "double \"x\" \n $", "E": "",
                "F": "a#b", "G": "two\nlines", "H": "", "export": "odd",
            ])
    }

    @Test func `every bad line is told`() throws {
        let (values, problems) = try read("A=1\nnonsense\n1X=2\nB='a' b\nC=3\nD='open\n")
        #expect(values == ["A": "1", "C": "3"])
        #expect(
            problems == """
                .env:2:1: expected NAME=value
                .env:3:1: "1X" is no variable's name; use letters, digits and _
                .env:4:7: unexpected text after the closing quote
                .env:6:3: the value's quote is never closed
                """)
    }
}
