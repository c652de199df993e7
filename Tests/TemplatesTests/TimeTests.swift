import Testing

@testable import Templates

@Suite struct TimeTests {
    private func moment(_ text: String) throws -> Moment { try Layout.parse(text, "2006-01-02T15:04:05Z07:00") }

    @Test(arguments: [
        ("2026-03-28T23:59:59Z", "Europe/Paris", "2026-03-29 00:59:59 +0100 CET"),
        ("2026-03-29T01:00:00Z", "Europe/Paris", "2026-03-29 03:00:00 +0200 CEST"),
        ("2026-10-25T00:59:59Z", "Europe/Paris", "2026-10-25 02:59:59 +0200 CEST"),
        ("2026-10-25T01:00:00Z", "Europe/Paris", "2026-10-25 02:00:00 +0100 CET"),
        ("2026-01-15T12:00:00Z", "Australia/Sydney", "2026-01-15 23:00:00 +1100 AEDT"),
        ("2026-07-15T12:00:00Z", "Australia/Sydney", "2026-07-15 22:00:00 +1000 AEST"),
        ("2026-07-15T12:00:00Z", "Asia/Kolkata", "2026-07-15 17:30:00 +0530 IST"),
        ("2080-07-15T12:00:00Z", "America/New_York", "2080-07-15 08:00:00 -0400 EDT"),
        ("1950-01-01T00:00:00Z", "UTC", "1950-01-01 00:00:00 +0000 UTC"),
    ])
    func `a time is shown in its zone, before and after each change`(time: String, zone: String, shown: String) throws {
        let zone = try #require(Zone.load(zone))
        #expect(try moment(time).inZone(zone).description == shown)
    }

    @Test(arguments: ["Nope/Zone", "../../etc/passwd", "/etc/passwd", "Europe//Paris", "Europe/", ".", "a\0b"])
    func `a name that is no zone is refused`(name: String) { #expect(Zone.load(name) == nil) }

    @Test func `a zone file that is cut short or mangled is refused and not a crash`() throws {
        let whole: [UInt8] = Array("TZif2".utf8) + Array(repeating: 0, count: 15) + Array(repeating: 255, count: 24)
        for length in 0...whole.count { #expect(ZoneRules(Array(whole[..<length])) == nil) }
    }

    @Test(arguments: [
        ("Mon, 02 Jan 2006 15:04:05 MST", "Sun, 01 Mar 2026 12:34:56 UTC"),
        ("2006-01-02T15:04:05.000Z07:00", "2026-03-01T12:34:56.789Z"), ("3:04PM", "12:34PM"), ("3:04 pm", "12:34 pm"),
        ("Jan _2 15:04:05.000000", "Mar  1 12:34:56.789000"), ("__2|002|06", " 60|060|26"), ("Janet", "Janet"),
        ("20060102150405", "20260301123456"), ("15h04m05.99s", "12h34m56.78s"), ("", ""),
        ("no time at all", "no time at all"),
        ("2006-1-2 -07 -070000", "2026-3-1 +00 +000000"),
    ])
    func `a layout shows how the time is to be written`(layout: String, shown: String) throws {
        #expect(Layout.format(try moment("2026-03-01T12:34:56.789Z"), layout) == shown)
    }

    @Test(arguments: [
        ("2006-01-02", "2026-02-30"), ("2006-01-02", "2026-13-01"), ("2006-01-02", "2026-01-01x"), ("15:04", "24:00"),
        ("15:04", "1:7"), ("Jan 2", "Foo 2"), ("2006-01-02T15:04:05Z07:00", "2026-01-01T00:00:00"), ("002", "367"),
        (".000", ".12"), ("2006", "99999999999999999999"), ("-07:00", "+0100"),
    ])
    func `a text that is not as its layout is refused`(layout: String, text: String) {
        #expect(throws: CallFailure.self) { try Layout.parse(text, layout) }
    }

    @Test func `dates before and after the epoch are those of the calendar`() {
        for (seconds, date) in [
            (-62_135_596_800, "0001-01-01 Monday 001"), (-1, "1969-12-31 Wednesday 365"),
            (0, "1970-01-01 Thursday 001"),
            (951_782_400, "2000-02-29 Tuesday 060"), (4_107_542_400, "2100-03-01 Monday 060"),
        ] as [(Int64, String)] {
            #expect(Layout.format(Moment(seconds: seconds), "2006-01-02 Monday 002") == date)
        }
    }

    @Test func `sums of times and durations do not overflow`() {
        let far = Moment(seconds: .max).adding(.max)
        #expect(far.since(Moment(seconds: .min)) == .max)
        #expect(Moment(seconds: .min).since(far) == .min)
        #expect(!far.description.isEmpty)
        #expect(!Moment(seconds: .min).description.isEmpty)
        #expect(GoDuration.text(.min) == "-2562047h47m16.854775808s")
        #expect(Moment.zero.truncated(to: .max).isZero)
    }

    @Test(
        arguments: [
            ("1h30m", 5_400_000), ("1d", 86_400_000), ("1y2w3d4h5m6s7ms", 33_019_506_007), ("0", 0),
            ("5", nil), ("m", nil), ("1m1h", nil), ("1h1h", nil), ("", nil), ("1.5h", nil), ("99999999999999y", nil),
        ] as [(String, Int64?)])
    func `Prometheus's durations are read`(text: String, milliseconds: Int64?) {
        #expect(GoDuration.parse(text) == milliseconds)
    }
}
