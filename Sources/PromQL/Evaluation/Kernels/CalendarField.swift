/// What the date functions read from a time, in UTC and the Gregorian calendar.
enum CalendarField: Sendable {
    case minute, hour, dayOfWeek, dayOfMonth, dayOfYear, daysInMonth, month, year

    /// NaN for what is no time: NaN, infinities and what lies millions of years away.
    func of(secondsSinceEpoch value: Double) -> Double {
        guard value > -1e14, value < 1e14 else { return .nan }
        let seconds = Int64(value)  // towards zero, as Go converts
        let days = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let secondOfDay = seconds - days * 86_400
        switch self {
        case .minute: return Double(secondOfDay / 60 % 60)
        case .hour: return Double(secondOfDay / 3600)
        case .dayOfWeek: return Double(((days + 4) % 7 + 7) % 7)
        case .dayOfMonth, .dayOfYear, .daysInMonth, .month, .year: break
        }
        let date = CivilDate(daysSinceEpoch: days)
        switch self {
        case .dayOfMonth: return Double(date.day)
        case .dayOfYear: return Double(days - CivilDate(year: date.year, month: 1, day: 1).daysSinceEpoch + 1)
        case .daysInMonth: return Double(date.daysInMonth)
        case .month: return Double(date.month)
        default: return Double(date.year)
        }
    }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// By eras of 400 years that begin in March, so that the leap day is the last of its year.
    init(daysSinceEpoch days: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let year = month <= 2 ? self.year - 1 : self.year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    var daysInMonth: Int64 {
        let next =
            month == 12
            ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month + 1, day: 1)
        return next.daysSinceEpoch - CivilDate(year: year, month: month, day: 1).daysSinceEpoch
    }
}
