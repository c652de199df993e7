internal import Streams

/// Go's time.Time: an instant to the nanosecond, and the zone in which it is shown.
package struct Moment: Sendable {
    /// Seconds since the Unix epoch.
    package let seconds: Int64
    package let nanoseconds: Int32
    package let zone: Zone

    /// Values outside of the years that 64 bits of seconds can hold with room to spare are brought to the edge.
    package init(seconds: Int64, nanoseconds: Int32 = 0, zone: Zone = .utc) {
        self.seconds = min(max(seconds, -Self.secondsMax), Self.secondsMax)
        self.nanoseconds = nanoseconds
        self.zone = zone
    }

    /// About the year 9 million: far from overflow in all sums.
    private static let secondsMax: Int64 = 1 << 48

    init(nanosecondsSinceEpoch: Int128, zone: Zone = .utc) {
        let (quotient, remainder) = nanosecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000_000)
        let borrows = remainder < 0
        self.init(
            seconds: Int64(clamping: quotient - (borrows ? 1 : 0)),
            nanoseconds: Int32(remainder + (borrows ? 1_000_000_000 : 0)), zone: zone)
    }

    package init(milliseconds: Int64) { self.init(nanosecondsSinceEpoch: Int128(milliseconds) * 1_000_000) }

    /// Go's zero time, the first of January of the year 1.
    package static let zero = Moment(seconds: -62_135_596_800)

    var isZero: Bool { seconds == Self.zero.seconds && nanoseconds == 0 }
    var nanosecondsSinceEpoch: Int128 { Int128(seconds) * 1_000_000_000 + Int128(nanoseconds) }

    func inZone(_ zone: Zone) -> Moment { Moment(seconds: seconds, nanoseconds: nanoseconds, zone: zone) }

    func adding(_ duration: Int64) -> Moment {
        Moment(nanosecondsSinceEpoch: nanosecondsSinceEpoch + Int128(duration), zone: zone)
    }

    /// Clamped to what a duration can hold.
    func since(_ other: Moment) -> Int64 { Int64(clamping: nanosecondsSinceEpoch - other.nanosecondsSinceEpoch) }

    /// Down to a multiple of the duration, counted from the zero time.
    func truncated(to duration: Int64) -> Moment {
        guard duration > 0 else { return self }
        return adding(-Int64((nanosecondsSinceEpoch - Self.zero.nanosecondsSinceEpoch) % Int128(duration)))
    }

    func rounded(to duration: Int64) -> Moment {
        guard duration > 0 else { return self }
        let below = truncated(to: duration)
        let rest = since(below)
        return rest < duration - rest ? below : below.adding(duration)
    }

    static func < (left: Moment, right: Moment) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    static func isSameInstant(_ left: Moment, _ right: Moment) -> Bool {
        left.seconds == right.seconds && left.nanoseconds == right.nanoseconds
    }

    // MARK: Calendar

    var local: CivilTime { CivilTime(seconds: seconds + Int64(zone.offset(at: seconds).seconds)) }
}

extension Moment: CustomStringConvertible {
    package var description: String { Layout.format(self, "2006-01-02 15:04:05.999999999 -0700 MST") }

    /// `%#v`
    var goSource: String {
        let local = local
        return "time.Date(\(local.year), time.\(CivilTime.monthNames[local.month - 1]), \(local.day), \(local.hour), "
            + "\(local.minute), \(local.second), \(nanoseconds), time.\(zone.goName))"
    }
}

/// A date and time of day in the proleptic Gregorian calendar.
struct CivilTime {
    var year: Int
    /// 1...12
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    /// 1...366
    var dayOfYear: Int
    /// 0 is Sunday.
    var weekday: Int

    init(seconds: Int64) {
        let days = Self.floorDivide(seconds, 86_400)
        let time = Int(seconds - days * 86_400)
        (year, month, day) = Self.date(ofDay: days)
        (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
        dayOfYear = Int(days - Self.day(year: year, month: 1, day: 1)) + 1
        weekday = Int((days % 7 + 11) % 7)
    }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// Days since the epoch of a date. Years run from March, so that a leap day comes last.
    static func day(year: Int, month: Int, day: Int) -> Int64 {
        let year = Int64(month <= 2 ? year - 1 : year)
        let era = floorDivide(year, 400)
        let yearOfEra = year - era * 400
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        return (year, month, Int(dayOfYear - (153 * shiftedMonth + 2) / 5) + 1)
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func days(inMonth month: Int, of year: Int) -> Int {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// ISO 8601: the week belongs to the year that its Thursday is in.
    var isoWeek: (year: Int, week: Int) {
        let thursday = Self.day(year: year, month: month, day: day) + Int64(3 - (weekday + 6) % 7)
        let date = Self.date(ofDay: thursday)
        return (date.year, Int(thursday - Self.day(year: date.year, month: 1, day: 1)) / 7 + 1)
    }

    static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}
