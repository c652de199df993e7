import Foundation
import Streams
import Testing

@Suite struct TimestampTextTests {
    static let texts: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (120, "1970-01-01T00:00:00.12Z"),
        (500, "1970-01-01T00:00:00.5Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_767_225_600_000, "2026-01-01T00:00:00Z"),
        (951_782_400_000, "2000-02-29T00:00:00Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ]

    @Test("Times are written as Go writes them", arguments: texts)
    func writes(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
    }

    @Test func `days that no month has are refused`() {
        for text in ["2026-02-29", "2100-02-29", "2026-04-31", "2026-13-01", "2026-00-10", "2026-12-32"] {
            #expect(Timestamp(rfc3339: text + "T00:00:00Z") == nil, "\(text)")
        }
        for text in ["2024-02-29", "2026-12-31", "9999-12-31", "0001-01-01"] {
            #expect(Timestamp(rfc3339: text + "T00:00:00Z")?.rfc3339 == text + "T00:00:00Z")
        }
    }

    @Test func `days are those of the calendar`() {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -200_000, to: 200_000, by: 37) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 3723)
            // Before the reform of 1582 Foundation counts by the Julian calendar, Go does not.
            if date.timeIntervalSince1970 < -12_219_292_800 { continue }
            #expect(
                Timestamp(milliseconds: Int64(day) * 86_400_000 + 3_723_000).rfc3339 == formatter.string(from: date))
        }
    }

    @Test func `no time traps`() {
        for time in [
            Timestamp.distantPast, .distantFuture, Timestamp(milliseconds: .min), Timestamp(milliseconds: .max),
        ] {
            #expect(time.rfc3339.hasSuffix("Z"))
        }
    }
}
