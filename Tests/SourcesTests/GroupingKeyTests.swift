import Sources
import Streams
import Testing

@Suite struct GroupingKeyTests {
    static let good: [(String, [String: String])] = [
        ("/j", ["job": "j"]),
        ("/j/", ["job": "j"]),
        ("/j/instance/a", ["job": "j", "instance": "a"]),
        ("/j/b/2/a/1", ["job": "j", "a": "1", "b": "2"]),
        ("/a%20b/l/c%2Bd%c3%a4", ["job": "a b", "l": "c+dä"]),
        ("/j/path/a%2Fb", ["job": "j", "path": "a/b"]),
        ("@base64/L3Zhci90bXA", ["job": "/var/tmp"]),
        ("@base64/L3Zhci90bXA=", ["job": "/var/tmp"]),
        ("/j/l@base64/w6Q=", ["job": "j", "l": "ä"]),
        ("/j/l@base64/Pz8_", ["job": "j", "l": "???"]),
        ("/j/l@base64/fn5-", ["job": "j", "l": "~~~"]),
        ("/j/l@base64/=", ["job": "j", "l": ""]),
        ("/j/l@base64/", ["job": "j", "l": ""]),
        ("/j/a/1/a/2", ["job": "j", "a": "2"]),
        ("/j/job/k", ["job": "j"]),
    ]

    @Test("A path names a group", arguments: good)
    func reads(_ path: String, _ labels: [String: String]) throws {
        #expect(try GroupingKey(path: Substring(path)).labels == labels)
    }

    static let bad: [(String, String)] = [
        ("/", "job name is required, but missing"),
        ("@base64/=", "job name is required, but missing"),
        ("/j/a", "odd number of components in the path: every label needs a value"),
        ("/j/a/b/c", "odd number of components in the path: every label needs a value"),
        ("/j/__x/1", "improper label name \"__x\""),
        ("/j/a-b/1", "improper label name \"a-b\""),
        ("/j/1a/1", "improper label name \"1a\""),
        ("/j//1", "improper label name \"\""),
        ("@base64/%25%25", "invalid base64 encoding of the value of label \"job\""),
        ("/j/l@base64/a", "invalid base64 encoding of the value of label \"l\""),
        ("/j/l@base64/a+b/", "invalid base64 encoding of the value of label \"l\""),
        ("/j/l@base64/_w", "the value of label \"l\" is not UTF-8"),
        ("/%", "malformed percent-encoding in the path"),
        ("/%4", "malformed percent-encoding in the path"),
        ("/%+4", "malformed percent-encoding in the path"),
        ("/%zz", "malformed percent-encoding in the path"),
        ("/%ff", "the path is not UTF-8"),
    ]

    @Test("A path that names none says why", arguments: bad)
    func refuses(_ path: String, _ reason: String) {
        do throws(GroupingKey.Malformed) {
            Issue.record("it was read: \(try GroupingKey(path: Substring(path)))")
        } catch {
            #expect("\(error)" == reason)
        }
    }

    @Test func `empty values tell groups apart and are no labels`() throws {
        let plain = try GroupingKey(path: "/j")
        let empty = try GroupingKey(path: "/j/l@base64/=")
        #expect(plain != empty)
        #expect(empty.labelSet == plain.labelSet)
        #expect(empty.job == "j")
    }
}
