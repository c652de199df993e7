import Streams
import Testing

@Suite struct DurationTextTests {
    static let good: [(text: String, milliseconds: Int64, printed: String)] = [
        ("0", 0, "0s"), ("0s", 0, "0s"), ("30s", 30_000, "30s"), ("90m", 5_400_000, "1h30m"),
        ("1h30m", 5_400_000, "1h30m"),
        ("500ms", 500, "500ms"), ("1m500ms", 60_500, "1m500ms"), ("7d", 604_800_000, "1w"), ("8d", 691_200_000, "8d"),
        ("1y", 31_536_000_000, "1y"), ("1d1h", 90_000_000, "1d1h"), ("365d1h", 31_539_600_000, "365d1h"),
        ("292y", 292 * 31_536_000_000, "292y"),
    ]

    @Test("Durations are read and printed as Prometheus does", arguments: good)
    func reads(text: String, milliseconds: Int64, printed: String) throws {
        let duration = try Duration.parse(prometheus: text)
        #expect(duration == .milliseconds(milliseconds))
        #expect(duration.prometheusText == printed)
    }

    @Test(
        "What is no duration is refused", arguments: ["", "1", "s", "1m1h", "1s1s", "-1s", "1.5s", "1 s", "1S", "٣s"])
    func refuses(text: String) {
        #expect(throws: Duration.TextError(text: text, isTooLong: false)) { try Duration.parse(prometheus: text) }
    }

    @Test("What is too long is refused", arguments: ["293y", "99999999999999999999s", "292y999w"])
    func refusesTooLong(text: String) {
        #expect(throws: Duration.TextError(text: text, isTooLong: true)) { try Duration.parse(prometheus: text) }
    }
}
