import Streams

/// Dates without a calendar library: the Gregorian calendar, UTC.
enum MailDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// RFC 5322, section 3.3: `Sun, 22 Nov 2026 11:30:56 +0000`.
    static func text(_ time: Timestamp) -> String {
        let (day, second) = split(time)
        let (year, month, date) = civil(day)
        let name = days[Int(((day % 7) + 7) % 7)]
        let clock = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(name), \(date) \(months[month - 1]) \(four(year)) \(clock) +0000"
    }

    /// `2026-11-22`.
    static func day(_ time: Timestamp) -> String {
        let (year, month, date) = civil(split(time).day)
        return "\(four(year))-\(two(Int64(month)))-\(two(Int64(date)))"
    }

    /// `2026-11-22 11:30:56 UTC`, for people.
    static func plain(_ time: Timestamp) -> String {
        let second = split(time).second
        return "\(day(time)) \(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) UTC"
    }

    /// Clamped to the years that have four digits.
    private static func split(_ time: Timestamp) -> (day: Int64, second: Int64) {
        let seconds = min(max(time.milliseconds, -62_135_596_800_000), 253_402_300_799_000) / 1000
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        return (day, seconds - day * 86_400)
    }

    /// Days since 1970 as year, month and day, by years that begin in March.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), Int(civilMonth), Int(date))
    }

    private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    private static func four(_ number: Int64) -> String {
        String(repeating: "0", count: max(0, 4 - "\(number)".utf8.count)) + "\(number)"
    }
}
