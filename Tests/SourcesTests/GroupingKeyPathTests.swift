import Sources
import Testing

@Suite struct GroupingKeyPathTests {
    @Test(arguments: [
        (["job": "train"], "/metrics/job/train"),
        (["job": "a b", "job_id": "17", "Zone": "eu"], "/metrics/job/a%20b/Zone/eu/job_id/17"),
        (["job": "some/path", "empty": ""], "/metrics/job@base64/c29tZS9wYXRo/empty@base64/="),
        (["job": "??>/~", "l": "ä%"], "/metrics/job@base64/Pz8-L34=/l/%C3%A4%25"),
    ]) func `a group's path is read as the same group`(_ labels: [String: String], _ path: String) throws {
        let key = GroupingKey(labels: labels)
        #expect(key.path == path)
        #expect(try GroupingKey(path: path.dropFirst("/metrics/job".count)) == key)
    }
}
