/// The rule at the end of a zone file, in POSIX's notation: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable {
    private struct Change {
        enum Day {
            case dayOfYear(Int)
            /// Without counting leap days, from 1.
            case julian(Int)
            case weekday(month: Int, week: Int, weekday: Int)
        }
        var day: Day
        /// Seconds after midnight, in the time before the change.
        var time: Int
    }

    private struct Daylight {
        var name: String
        var offset: Int
        var start: Change
        var end: Change
    }

    private let name: String
    private let standardOffset: Int
    private let daylight: Daylight?

    init?(_ text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard let name = scanner.name(), let offset = scanner.time() else { return nil }
        self.name = name
        standardOffset = -offset
        guard !scanner.isAtEnd else {
            daylight = nil
            return
        }
        guard let daylightName = scanner.name() else { return nil }
        let daylightOffset = scanner.time().map { -$0 } ?? -offset + 3600
        guard scanner.take(","), let start = scanner.change(), scanner.take(","), let end = scanner.change() else {
            return nil
        }
        daylight = Daylight(name: daylightName, offset: daylightOffset, start: start, end: end)
    }

    func offset(at seconds: Int64) -> (seconds: Int, name: String) {
        guard let daylight else { return (standardOffset, name) }
        let year = CivilTime(seconds: seconds + Int64(standardOffset)).year
        let start = instant(of: daylight.start, in: year) - Int64(standardOffset)
        let end = instant(of: daylight.end, in: year) - Int64(daylight.offset)
        // In the south, daylight time spans the turn of the year.
        let isDaylight = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isDaylight ? (daylight.offset, daylight.name) : (standardOffset, name)
    }

    private func instant(of change: Change, in year: Int) -> Int64 {
        var day = CivilTime.day(year: year, month: 1, day: 1)
        switch change.day {
        case .dayOfYear(let number): day += Int64(number)
        case .julian(let number): day += Int64(number - 1 + (CivilTime.isLeap(year) && number >= 60 ? 1 : 0))
        case .weekday(let month, let week, let weekday):
            let first = CivilTime.day(year: year, month: month, day: 1)
            let firstWeekday = Int((first % 7 + 11) % 7)
            var date = (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
            if date >= CivilTime.days(inMonth: month, of: year) { date -= 7 }
            day = first + Int64(date)
        }
        return day * 86_400 + Int64(change.time)
    }

    private struct Scanner {
        let bytes: [UInt8]
        var index = 0

        var isAtEnd: Bool { index >= bytes.count }
        var current: UInt8 { isAtEnd ? 0 : bytes[index] }

        mutating func take(_ sign: Unicode.Scalar) -> Bool {
            guard current == UInt8(ascii: sign) else { return false }
            index += 1
            return true
        }

        mutating func name() -> String? {
            let isQuoted = take("<")
            let start = index
            while !isAtEnd, isQuoted ? current != UInt8(ascii: ">") : (0x41...0x5A).contains(current & 0xDF) {
                index += 1
            }
            let name = String(decoding: bytes[start..<index], as: UTF8.self)
            if isQuoted, !take(">") { return nil }
            return name.utf8.count >= 3 ? name : nil
        }

        mutating func number() -> Int? {
            var value: Int?
            while (0x30...0x39).contains(current), (value ?? 0) < 10_000 {
                value = (value ?? 0) * 10 + Int(current - 0x30)
                index += 1
            }
            return value
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time() -> Int? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard let hours = number() else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number() else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number() else { return nil }
                    seconds += rest
                }
            }
            return isNegative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            var day: Change.Day?
            if take("M") {
                guard let month = number(), take("."), let week = number(), take("."), let weekday = number(),
                    (1...12).contains(month), (1...5).contains(week), (0...6).contains(weekday)
                else { return nil }
                day = .weekday(month: month, week: week, weekday: weekday)
            } else if take("J") {
                day = number().map(Change.Day.julian)
            } else {
                day = number().map(Change.Day.dayOfYear)
            }
            guard let day else { return nil }
            guard take("/") else { return Change(day: day, time: 7200) }
            return time().map { Change(day: day, time: $0) }
        }
    }
}
