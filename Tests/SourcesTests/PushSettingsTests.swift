import Sources
import Streams
import Testing
import YAML

@Suite struct PushSettingsTests {
    private func decode(_ text: String) throws -> (settings: PushSettings, errors: [String]) {
        let diagnostics = Diagnostics()
        let node = try #require(DocumentParser.parse(try SourceText(text, file: "f.yaml"), diagnostics: diagnostics))
        let settings = PushSettings(node, diagnostics)
        return (settings, diagnostics.errors.map { "\($0)" })
    }

    @Test func `every key has its meaning`() throws {
        let (settings, errors) = try decode(
            """
            time_to_live: 1h
            refresh_interval: 3s
            consistency_check: false
            expose: true
            admin_api: true
            groups_max: 5
            body_size_limit: 1MB
            line_size_limit: 2KB
            label_limit: 7
            label_name_length_limit: 8
            label_value_length_limit: 9
            patience: 250ms
            """)
        #expect(errors == [])
        #expect(
            settings
                == PushSettings(
                    timeToLive: .seconds(3600), refreshInterval: .seconds(3), checksConsistency: false, exposes: true,
                    allowsAdministration: true, groupsMax: 5, bodyBytesMax: 1 << 20, lineBytesMax: 2048,
                    labels: LabelLimits(labelsMax: 7, nameBytesMax: 8, valueBytesMax: 9),
                    patience: .milliseconds(250)))
    }

    @Test func `what is not said is as in a Pushgateway`() throws {
        let (settings, errors) = try decode("{}")
        #expect(errors == [])
        #expect(settings == PushSettings())
        #expect(settings.timeToLive == nil && settings.checksConsistency && !settings.allowsAdministration)
    }

    static let bad: [(String, String)] = [
        ("{time_to_live: 0s}", "f.yaml:1:16: "),
        ("{time_to_live: -1s}", "f.yaml:1:16: "),
        ("{refresh_interval: often}", "f.yaml:1:20: "),
        ("{groups_max: 0}", "f.yaml:1:14: "),
        ("{body_size_limit: 10}", "f.yaml:1:19: "),
        ("{label_limit: -1}", "f.yaml:1:15: "),
        ("{ttl: 1h}", "f.yaml:1:2: unknown key \"ttl\" in a push source"),
        ("[1h]", "f.yaml:1:1: "),
    ]

    @Test("What is wrong is told with its place", arguments: bad)
    func reports(_ text: String, _ prefix: String) throws {
        let errors = try decode(text).errors
        #expect(errors.count == 1 && errors[0].hasPrefix(prefix), "\(errors)")
    }
}
