extension Timestamp {
    /// Reads RFC 3339, `2026-11-22T10:00:00.123+01:00`; digits below a millisecond are cut off. Nil for anything else.
    package init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
        }
        func has(_ character: Character, at place: Int) -> Bool {
            place < bytes.count && bytes[place] == character.asciiValue
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), has("T", at: 10) || has("t", at: 10) || has(" ", at: 10),
            let hour = number(11..<13), has(":", at: 13), let minute = number(14..<16), has(":", at: 16),
            let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
            second <= 60, day <= Self.daysInMonth(year: year, month: month)
        else { return nil }
        var place = 19
        var milliseconds: Int64 = 0
        if has(".", at: place) {
            place += 1
            var scale: Int64 = 100
            let start = place
            while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
                milliseconds += Int64(bytes[place] - 0x30) * scale
                scale /= 10
                place += 1
            }
            guard place > start else { return nil }
        }
        var offset: Int64 = 0
        if has("Z", at: place) || has("z", at: place) {
            place += 1
        } else if has("+", at: place) || has("-", at: place) {
            guard let hours = number(place + 1..<place + 3), has(":", at: place + 3),
                let minutes = number(place + 4..<place + 6), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (has("-", at: place) ? -1 : 1)
            place += 6
        } else {
            return nil
        }
        guard place == bytes.count else { return nil }
        let days = Self.daysSinceEpoch(year: year, month: month, day: day)
        let minutes = (days * 24 + hour) * 60 + minute - offset
        self.init(milliseconds: (minutes * 60 + second) * 1000 + milliseconds)
    }

    private static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        let next =
            month == 12
            ? daysSinceEpoch(year: year + 1, month: 1, day: 1)
            : daysSinceEpoch(year: year, month: month + 1, day: 1)
        return next - daysSinceEpoch(year: year, month: month, day: 1)
    }

    /// After Howard Hinnant's `days_from_civil`.
    private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
