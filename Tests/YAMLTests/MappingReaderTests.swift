import Streams
import Testing
import YAML

@Suite struct MappingReaderTests {
    struct Settings: Equatable {
        var name: String
        var timeout: Duration
        var retries: Int
        var labels: LabelSet
        var targets: [String]

        init(_ node: Node, _ diagnostics: Diagnostics) {
            let reader = MappingReader(node, "a probe", diagnostics)
            name = reader.required("name", .nonEmptyText, or: "")
            timeout = reader.value("timeout", .duration(in: .seconds(1) ... .seconds(60)), default: .seconds(10))
            retries = reader.value("retries", .integer(in: 0...9), default: 3)
            labels = reader.value("labels", .labels, default: LabelSet())
            targets = reader.list("targets", of: .text)
            reader.notSupportedYet("proxy_url")
            reader.exclusive("password", "password_file")
            reader.finish()
        }
    }

    private func problems(_ text: String) throws -> String { try decode(text, Settings.init).problems }

    @Test func `a mapping becomes settings with defaults`() throws {
        let (settings, problems) = try decode("name: x\nlabels: {a: b, c: ''}\ntargets: [1, yes]", Settings.init)
        #expect(problems == "")
        #expect(settings.name == "x")
        #expect(settings.timeout == .seconds(10))
        #expect(settings.labels == ["a": "b"])
        #expect(settings.targets == ["1", "yes"])
    }

    @Test func `null counts as absent`() throws {
        let (settings, problems) = try decode("name: x\nretries:\ntargets: ~", Settings.init)
        #expect(problems == "")
        #expect(settings.retries == 3)
    }

    static let cases: [(text: String, problem: String)] = [
        ("retries: 1", "f.yaml:1:1: key \"name\" is missing in a probe"),
        ("name: ''", "f.yaml:1:7: must not be empty"),
        ("name: [x]", "f.yaml:1:7: expected text, found a list"),
        ("name: x\ntimeuot: 1s", "f.yaml:2:1: unknown key \"timeuot\" in a probe; did you mean \"timeout\"?"),
        ("name: x\nwhatever: 1s", "f.yaml:2:1: unknown key \"whatever\" in a probe"),
        ("name: x\ntimeout: 10", "f.yaml:2:10: \"10\" is no duration; write one such as 30s, 5m or 1h30m"),
        ("name: x\ntimeout: 1ms", "f.yaml:2:10: \"1ms\" is too short; at least 1s"),
        ("name: x\ntimeout: 1h", "f.yaml:2:10: \"1h\" is too long; at most 1m"),
        ("name: x\nretries: 10", "f.yaml:2:10: 10 is not between 0 and 9"),
        ("name: x\nretries: '1'", "f.yaml:2:10: expected a whole number, found \"1\""),
        ("name: x\nretries: many", "f.yaml:2:10: expected a whole number, found \"many\""),
        ("name: x\nlabels: [a]", "f.yaml:2:9: expected a mapping, found a list"),
        ("name: x\nlabels: {'': b}", "f.yaml:2:10: the name must not be empty"),
        ("name: x\ntargets: a", "f.yaml:2:10: expected a list, found \"a\""),
        ("name: x\nproxy_url: a", "f.yaml:2:1: key \"proxy_url\" in a probe is not supported yet"),
        (
            "name: x\npassword: a\npassword_file: b",
            "f.yaml:3:1: \"password\" and \"password_file\" exclude each other in a probe; leave one"
        ),
        ("[name]", "f.yaml:1:1: expected a mapping (a probe), found a list"),
        (
            "nam: x\nretries: -1",
            "f.yaml:1:1: key \"name\" is missing in a probe\n"
                + "f.yaml:1:1: unknown key \"nam\" in a probe; did you mean \"name\"?\n"
                + "f.yaml:2:10: -1 is not between 0 and 9"
        ),
    ]

    @Test("What is wrong is told, all of it, with its place", arguments: cases)
    func reports(text: String, problem: String) throws {
        #expect(try problems(text) == problem)
    }
}

@Suite struct FormatTests {
    private func value<Value>(_ text: String, _ format: Format<Value>) throws -> Value? {
        try decode(text) { format.decode($0, $1) }.value
    }

    @Test func `booleans are YAML 1.1's`() throws {
        for text in ["true", "True", "yes", "on", "y", "ON"] { #expect(try value(text, .bool) == true, "\(text)") }
        for text in ["false", "no", "off", "N"] { #expect(try value(text, .bool) == false, "\(text)") }
        for text in ["'true'", "1", "tRue", "[]"] { #expect(try value(text, .bool) == nil, "\(text)") }
    }

    @Test func `whole numbers have Go's notations`() throws {
        let cases: [(String, Int?)] = [
            ("12", 12), ("-3", -3), ("+3", 3), ("0x1F", 31), ("-0x1F", -31), ("010", 8), ("0o17", 15), ("0b11", 3),
            ("1_000", 1000), ("_1", nil), ("1e3", 1000), ("2.0", 2), ("2.5", nil), ("9223372036854775807", .max),
            ("9223372036854775808", nil), ("08", 8), ("--1", nil), ("-", nil), ("0x", nil), ("x", nil), ("1 2", nil),
        ]
        for (text, expected) in cases { #expect(try value(text, .integer()) == expected, "\(text)") }
    }

    @Test func `numbers have infinities`() throws {
        let cases: [(String, Double?)] = [
            ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("1e-3", 0.001), (".inf", .infinity), ("-.Inf", -.infinity),
            ("0x10", 16), ("inf", nil), ("nan", nil), ("1.2.3", nil), ("0x1p3", nil),
        ]
        for (text, expected) in cases { #expect(try value(text, .double()) == expected, "\(text)") }
        #expect(try value(".nan", .double())?.isNaN == nil)
    }

    @Test func `sizes count in powers of 1024`() throws {
        let cases: [(String, Int?)] = [
            ("10MB", 10 << 20), ("1GiB", 1 << 30), ("512KB", 512 << 10), ("0", 0), ("5B", 5), ("1.5MiB", 3 << 19),
            ("1GB512MB", 1536 << 20), ("10", nil), ("10mb", nil), ("MB", nil), ("8EB", nil), ("-1MB", nil),
        ]
        for (text, expected) in cases { #expect(try value(text, .size())?.bytes == expected, "\(text)") }
    }

    static let urls: [(text: String, problem: String)] = [
        ("http://localhost:9090/x?y=z", ""),
        ("https://user:pass@[::1]:80", ""),
        ("localhost:9090", "a URL begins with http:// or https://"),
        ("ftp://x", "unsupported scheme \"ftp\"; a URL begins with http:// or https://"),
        ("http://", "the URL has no host"),
        ("http://:80", "the URL has no host"),
        ("http://x:99999", "the URL's port is not between 1 and 65535"),
        ("http://x:a", "the URL's port is not between 1 and 65535"),
        ("http://::1/", "an IPv6 address in a URL stands in [brackets]"),
        ("http://a b/", "a URL holds no spaces"),
    ]

    @Test("URLs are checked without showing them", arguments: urls)
    func checksURL(text: String, problem: String) throws {
        let (value, problems) = try decode("'\(text)'") { Format.url().decode($0, $1) }
        #expect(problems == (problem.isEmpty ? "" : "f.yaml:1:1: " + problem))
        #expect((value == text) == problem.isEmpty)
    }

    @Test func `a secret shows nowhere`() throws {
        let (secret, _) = try decode("hunter2") { Format<Secret>.secret.decode($0, $1) }
        #expect(secret?.reveal() == "hunter2")
        let (_, problems) = try decode("hunter2") { Format<Secret>.secretURL().decode($0, $1) }
        #expect(problems == "f.yaml:1:1: a URL begins with http:// or https://")
    }

    @Test func `a bad regular expression is told`() throws {
        let (_, problems) = try decode("'a('") { Format<RegularExpression>.regex.decode($0, $1) }
        #expect(problems == "f.yaml:1:1: invalid regular expression \"a(\": missing ): a(")
    }
}
