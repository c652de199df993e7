package import Streams

/// Times that come back, as Alertmanager's time intervals: every field that is there has to hold, in each one any range.
package struct RecurringInterval: Hashable, Sendable {
    /// Minutes since midnight, the end not included.
    package var times: [Range<Int>]?
    /// Sunday is 0.
    package var weekdays: [ClosedRange<Int>]?
    package var daysOfMonth: [DayRange]?
    package var months: [ClosedRange<Int>]?
    package var years: [ClosedRange<Int>]?
    /// The zone that the fields are read in; nil is UTC.
    package var location: NamedZone?

    /// Days of a month; negative ones count from its end, -1 being the last.
    package struct DayRange: Hashable, Sendable {
        package var first: Int
        package var last: Int
        package init(_ first: Int, _ last: Int) {
            self.first = first
            self.last = last
        }

        func contains(_ day: Int, daysInMonth: Int) -> Bool {
            let begin = first < 0 ? daysInMonth + first + 1 : first
            let end = last < 0 ? daysInMonth + last + 1 : last
            return begin <= daysInMonth && day >= begin && day <= end
        }
    }

    package init() {}

    package func contains(_ time: Timestamp) -> Bool {
        let offset = location?.offsetSeconds(at: time) ?? 0
        let civil = CivilTime(secondsSinceEpoch: time.wholeSeconds + offset)
        let minute = civil.secondOfDay / 60
        if let times, !times.contains(where: { $0.contains(minute) }) { return false }
        if let daysOfMonth, !daysOfMonth.contains(where: { $0.contains(civil.day, daysInMonth: civil.daysInMonth) }) {
            return false
        }
        if let months, !months.contains(where: { $0.contains(civil.month) }) { return false }
        if let weekdays, !weekdays.contains(where: { $0.contains(civil.weekday) }) { return false }
        if let years, !years.contains(where: { $0.contains(civil.year) }) { return false }
        return true
    }
}

extension Sequence<RecurringInterval> {
    package func contain(_ time: Timestamp) -> Bool { contains { $0.contains(time) } }
}

extension Timestamp {
    /// Seconds since the epoch, rounded down.
    var wholeSeconds: Int64 {
        milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    }
}

/// A date and a time of day of the Gregorian calendar.
struct CivilTime {
    let year: Int
    /// January is 1.
    let month: Int
    let day: Int
    /// Sunday is 0.
    let weekday: Int
    let secondOfDay: Int

    init(secondsSinceEpoch seconds: Int64) {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        secondOfDay = Int(seconds - days * 86_400)
        weekday = Int(((days + 4) % 7 + 7) % 7)
        // Days are counted from 1 March of the year 0, so that a leap day is the last one of its year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    var daysInMonth: Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
