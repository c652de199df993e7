extension Layout {
    /// `time.Parse`: what the layout does not name is zero or one; without a zone it is UTC.
    static func parse(_ text: String, _ layout: String) throws -> Moment {
        var reader = Reader(text: text, layout: layout)
        for (element, next) in zip(elements(layout), elements(layout).dropFirst().map(Optional.init) + [nil]) {
            try reader.read(element, next: next)
        }
        guard reader.rest.isEmpty else { throw reader.failure("extra text: \(GoText.quote(reader.remaining))") }
        return try reader.moment()
    }

    private struct Reader {
        let text: String
        let layout: String
        var rest: ArraySlice<UInt8>
        var year = 0, month: Int?, day: Int?, dayOfYear: Int?
        var hour = 0, minute = 0, second = 0, nanoseconds = 0
        var isPM: Bool?
        var offset: Int?
        var zoneName = ""

        init(text: String, layout: String) {
            self.text = text
            self.layout = layout
            rest = Array(text.utf8)[...]
        }

        var remaining: String { String(decoding: rest, as: UTF8.self) }

        func failure(_ reason: String) -> CallFailure {
            CallFailure("parsing time \(GoText.quote(text)): \(reason)")
        }

        private func mismatch(_ wanted: String) -> CallFailure {
            CallFailure(
                "parsing time \(GoText.quote(text)) as \(GoText.quote(layout)): cannot parse \(GoText.quote(remaining)) as "
                    + GoText.quote(wanted))
        }

        private mutating func digits(_ width: ClosedRange<Int>, _ wanted: String) throws -> Int {
            let found = rest.prefix(width.upperBound).prefix { (0x30...0x39).contains($0) }
            guard found.count >= width.lowerBound, let number = Int(String(decoding: found, as: UTF8.self)) else {
                throw mismatch(wanted)
            }
            rest = rest.dropFirst(found.count)
            return number
        }

        private mutating func number(_ width: ClosedRange<Int>, in range: ClosedRange<Int>, _ wanted: String) throws
            -> Int
        {
            let value = try digits(width, wanted)
            guard range.contains(value) else { throw failure("\(wanted) out of range") }
            return value
        }

        private mutating func name(_ names: [String], short: Bool, _ wanted: String) throws -> Int {
            for (index, name) in names.enumerated() {
                let name = short ? String(name.prefix(3)) : name
                let found = String(decoding: rest.prefix(name.utf8.count), as: UTF8.self)
                if found.lowercased() == name.lowercased() {
                    rest = rest.dropFirst(name.utf8.count)
                    return index
                }
            }
            throw mismatch(wanted)
        }

        private mutating func skipSpaces(_ count: Int) {
            rest = rest.dropFirst(rest.prefix(count).prefix { $0 == 0x20 }.count)
        }

        mutating func read(_ element: Element, next: Element?) throws {
            switch element {
            case .text(let literal):
                guard rest.starts(with: literal.utf8) else { throw mismatch(literal) }
                rest = rest.dropFirst(literal.utf8.count)
            case .longMonth: month = try name(CivilTime.monthNames, short: false, "January") + 1
            case .month: month = try name(CivilTime.monthNames, short: true, "Jan") + 1
            case .numericMonth: month = try number(1...2, in: 1...12, "month")
            case .zeroMonth: month = try number(2...2, in: 1...12, "month")
            case .longWeekday: _ = try name(CivilTime.weekdayNames, short: false, "Monday")
            case .weekday: _ = try name(CivilTime.weekdayNames, short: true, "Mon")
            case .day: day = try digits(1...2, "2")
            case .spaceDay:
                skipSpaces(1)
                day = try digits(1...2, "_2")
            case .zeroDay: day = try digits(2...2, "02")
            case .spaceDayOfYear:
                skipSpaces(2)
                dayOfYear = try digits(1...3, "__2")
            case .zeroDayOfYear: dayOfYear = try digits(3...3, "002")
            case .hour24: hour = try number(1...2, in: 0...23, "hour")
            case .hour12: hour = try number(1...2, in: 0...12, "hour")
            case .zeroHour12: hour = try number(2...2, in: 0...12, "hour")
            case .minute: minute = try number(1...2, in: 0...59, "minute")
            case .zeroMinute: minute = try number(2...2, in: 0...59, "minute")
            case .second: try seconds(1...2, next)
            case .zeroSecond: try seconds(2...2, next)
            case .longYear: year = try digits(4...4, "2006")
            case .year:
                let short = try digits(2...2, "06")
                year = short + (short >= 69 ? 1900 : 2000)
            case .upperPM, .lowerPM: isPM = try name(["AM", "PM"], short: false, "PM") == 1
            case .zoneName: try zone()
            case .offset(let style): try offset(style)
            case .fraction(let count, let separator, let trimmed): try fraction(count, separator, trimmed)
            }
        }

        private mutating func seconds(_ width: ClosedRange<Int>, _ next: Element?) throws {
            second = try number(width, in: 0...59, "second")
            // A fraction may follow although the layout has none.
            if case .fraction = next { return }
            guard rest.count >= 2, rest.first == 0x2E || rest.first == 0x2C,
                (0x30...0x39).contains(rest[rest.startIndex + 1])
            else { return }
            rest = rest.dropFirst()
            takeFraction(rest.prefix { (0x30...0x39).contains($0) }.count)
        }

        private mutating func takeFraction(_ count: Int) {
            let digits = String(decoding: rest.prefix(min(count, 9)), as: UTF8.self)
            nanoseconds = Int(digits + String(repeating: "0", count: 9 - digits.utf8.count)) ?? 0
            rest = rest.dropFirst(count)
        }

        private mutating func fraction(_ count: Int, _ separator: UInt8, _ trimmed: Bool) throws {
            let wanted = (separator == 0x2E ? "." : ",") + String(repeating: trimmed ? "9" : "0", count: count)
            guard let first = rest.first, first == 0x2E || first == 0x2C else {
                if trimmed { return }
                throw mismatch(wanted)
            }
            let available = rest.dropFirst().prefix { (0x30...0x39).contains($0) }.count
            guard trimmed ? available > 0 : available >= count else { throw mismatch(wanted) }
            rest = rest.dropFirst()
            takeFraction(trimmed ? available : count)
        }

        private mutating func offset(_ style: Offset) throws {
            if style.isISO, rest.first == UInt8(ascii: "Z") {
                rest = rest.dropFirst()
                offset = 0
                return
            }
            guard let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else {
                throw mismatch("-07:00")
            }
            rest = rest.dropFirst()
            var total = try number(2...2, in: 0...24, "time zone offset hour") * 3600
            for (isThere, unit) in [(style.minutes, 60), (style.seconds, 1)] where isThere {
                if style.colons {
                    guard rest.first == UInt8(ascii: ":") else { throw mismatch("-07:00") }
                    rest = rest.dropFirst()
                }
                total += try number(2...2, in: 0...59, "time zone offset") * unit
            }
            offset = sign == UInt8(ascii: "-") ? -total : total
        }

        private mutating func zone() throws {
            let letters = rest.prefix { (0x41...0x5A).contains($0) }
            guard letters.count >= 3, letters.count <= 5 else { throw mismatch("MST") }
            zoneName = String(decoding: letters, as: UTF8.self)
            rest = rest.dropFirst(letters.count)
            if zoneName == "GMT", let sign = rest.first, sign == 0x2B || sign == 0x2D {
                let hours = rest.dropFirst().prefix(2).prefix { (0x30...0x39).contains($0) }
                if let number = Int(String(decoding: hours, as: UTF8.self)), number <= 23 {
                    offset = (sign == 0x2D ? -number : number) * 3600
                    zoneName += String(decoding: rest.prefix(hours.count + 1), as: UTF8.self)
                    rest = rest.dropFirst(hours.count + 1)
                }
            }
        }

        func moment() throws -> Moment {
            var (month, day) = (month ?? 1, day ?? 1)
            if let dayOfYear {
                guard dayOfYear >= 1, dayOfYear <= (CivilTime.isLeap(year) ? 366 : 365) else {
                    throw failure("day-of-year out of range")
                }
                let date = CivilTime(
                    seconds: (CivilTime.day(year: year, month: 1, day: 1) + Int64(dayOfYear - 1)) * 86_400)
                (month, day) = (date.month, date.day)
            }
            guard day >= 1, day <= CivilTime.days(inMonth: month, of: year) else { throw failure("day out of range") }
            var hour = hour
            if let isPM { hour = isPM ? (hour < 12 ? hour + 12 : hour) : (hour == 12 ? 0 : hour) }
            let seconds =
                CivilTime.day(year: year, month: month, day: day) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
            let zone: Zone =
                offset.map { $0 == 0 && (zoneName.isEmpty || zoneName == "UTC") ? .utc : .fixed(zoneName, $0) }
                ?? (zoneName.isEmpty || zoneName == "UTC" ? .utc : .fixed(zoneName, 0))
            return Moment(seconds: seconds - Int64(offset ?? 0), nanoseconds: Int32(nanoseconds), zone: zone)
        }
    }
}
