/// Go's way of writing times: the layout shows the reference time, Mon Jan 2 15:04:05 MST 2006.
enum Layout {
    enum Element: Equatable {
        case text(String)
        case longMonth, month, numericMonth, zeroMonth
        case longWeekday, weekday
        case day, spaceDay, zeroDay, spaceDayOfYear, zeroDayOfYear
        case hour24, hour12, zeroHour12
        case minute, zeroMinute, second, zeroSecond
        case longYear, year
        case upperPM, lowerPM
        case zoneName
        case offset(Offset)
        /// Digits after the second; the separator; whether zeros at the end are left out.
        case fraction(Int, separator: UInt8, trimmed: Bool)
    }

    /// How an offset from UTC is written.
    struct Offset: Equatable {
        var isISO: Bool
        var colons: Bool
        var minutes: Bool
        var seconds: Bool
    }

    /// Words of a layout, longer ones first where one begins with another.
    private static let words: [(String, Element)] = [
        ("January", .longMonth), ("Jan", .month), ("Monday", .longWeekday), ("Mon", .weekday), ("MST", .zoneName),
        ("002", .zeroDayOfYear), ("01", .zeroMonth), ("02", .zeroDay), ("03", .zeroHour12), ("04", .zeroMinute),
        ("05", .zeroSecond), ("06", .year), ("15", .hour24), ("1", .numericMonth), ("2006", .longYear), ("2", .day),
        ("__2", .spaceDayOfYear), ("_2006", .text("_")), ("_2", .spaceDay), ("3", .hour12), ("4", .minute),
        ("5", .second), ("PM", .upperPM), ("pm", .lowerPM),
        ("-070000", offset(iso: false, seconds: true)), ("-07:00:00", offset(iso: false, colons: true, seconds: true)),
        ("-0700", offset(iso: false)), ("-07:00", offset(iso: false, colons: true)),
        ("-07", offset(iso: false, minutes: false)),
        ("Z070000", offset(iso: true, seconds: true)), ("Z07:00:00", offset(iso: true, colons: true, seconds: true)),
        ("Z0700", offset(iso: true)), ("Z07:00", offset(iso: true, colons: true)),
        ("Z07", offset(iso: true, minutes: false)),
    ]

    private static func offset(
        iso: Bool, colons: Bool = false, minutes: Bool = true, seconds: Bool = false
    ) -> Element {
        .offset(Offset(isISO: iso, colons: colons, minutes: minutes, seconds: seconds))
    }

    static func elements(_ layout: String) -> [Element] {
        let bytes = Array(layout.utf8)
        var elements: [Element] = []
        var literal: [UInt8] = []
        var index = 0
        func flush() {
            if !literal.isEmpty { elements.append(.text(String(decoding: literal, as: UTF8.self))) }
            literal = []
        }
        while index < bytes.count {
            if let (element, length) = fraction(bytes, at: index) ?? word(bytes, at: index) {
                if case .text(let text) = element {
                    literal += Array(text.utf8)
                } else {
                    flush()
                    elements.append(element)
                }
                index += length
            } else {
                literal.append(bytes[index])
                index += 1
            }
        }
        flush()
        return elements
    }

    private static func word(_ bytes: [UInt8], at index: Int) -> (Element, Int)? {
        for (text, element) in words where bytes[index...].starts(with: text.utf8) {
            let length = text.utf8.count
            // "Jan" in "January" is taken above; in "Janet" it is no month.
            if element == .month || element == .weekday, index + length < bytes.count,
                (0x61...0x7A).contains(bytes[index + length])
            {
                continue
            }
            if text == "_2006" { return (.text("_"), 1) }
            return (element, length)
        }
        return nil
    }

    /// `.000` or `,999`, not followed by another digit.
    private static func fraction(_ bytes: [UInt8], at index: Int) -> (Element, Int)? {
        guard bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ","), index + 1 < bytes.count else {
            return nil
        }
        let digit = bytes[index + 1]
        guard digit == UInt8(ascii: "0") || digit == UInt8(ascii: "9") else { return nil }
        let count = bytes[(index + 1)...].prefix { $0 == digit }.count
        let end = index + 1 + count
        guard end >= bytes.count || !(0x30...0x39).contains(bytes[end]) else { return nil }
        return (.fraction(count, separator: bytes[index], trimmed: digit == UInt8(ascii: "9")), count + 1)
    }

    // MARK: Writing

    static func format(_ moment: Moment, _ layout: String) -> String {
        let time = moment.local
        let zone = moment.zone.offset(at: moment.seconds)
        return elements(layout).map { text(of: $0, time, moment.nanoseconds, zone) }.joined()
    }

    static func padded(_ number: Int, _ width: Int, with fill: String = "0") -> String {
        let digits = String(number.magnitude)
        return (number < 0 ? "-" : "") + String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
    }

    private static func text(
        of element: Element, _ time: CivilTime, _ nanoseconds: Int32, _ zone: (seconds: Int, name: String)
    ) -> String {
        switch element {
        case .text(let text): text
        case .longMonth: CivilTime.monthNames[time.month - 1]
        case .month: String(CivilTime.monthNames[time.month - 1].prefix(3))
        case .numericMonth: String(time.month)
        case .zeroMonth: padded(time.month, 2)
        case .longWeekday: CivilTime.weekdayNames[time.weekday]
        case .weekday: String(CivilTime.weekdayNames[time.weekday].prefix(3))
        case .day: String(time.day)
        case .spaceDay: padded(time.day, 2, with: " ")
        case .zeroDay: padded(time.day, 2)
        case .spaceDayOfYear: padded(time.dayOfYear, 3, with: " ")
        case .zeroDayOfYear: padded(time.dayOfYear, 3)
        case .hour24: padded(time.hour, 2)
        case .hour12: String((time.hour + 11) % 12 + 1)
        case .zeroHour12: padded((time.hour + 11) % 12 + 1, 2)
        case .minute: String(time.minute)
        case .zeroMinute: padded(time.minute, 2)
        case .second: String(time.second)
        case .zeroSecond: padded(time.second, 2)
        case .longYear: padded(time.year, 4)
        case .year: padded((time.year % 100 + 100) % 100, 2)
        case .upperPM: time.hour >= 12 ? "PM" : "AM"
        case .lowerPM: time.hour >= 12 ? "pm" : "am"
        case .zoneName: zone.name.isEmpty ? unnamed(zone.seconds) : zone.name
        case .offset(let style): text(of: style, zone.seconds)
        case .fraction(let digits, let separator, let trimmed):
            fraction(nanoseconds, digits, Unicode.Scalar(separator), trimmed)
        }
    }

    private static func unnamed(_ offset: Int) -> String {
        let minutes = Int(offset.magnitude) / 60
        return (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + padded(minutes % 60, 2)
    }

    private static func text(of style: Offset, _ offset: Int) -> String {
        if style.isISO, offset == 0 { return "Z" }
        let size = Int(offset.magnitude)
        let separator = style.colons ? ":" : ""
        var text = (offset < 0 ? "-" : "+") + padded(size / 3600, 2)
        if style.minutes { text += separator + padded(size / 60 % 60, 2) }
        if style.seconds { text += separator + padded(size % 60, 2) }
        return text
    }

    private static func fraction(_ nanoseconds: Int32, _ count: Int, _ separator: Unicode.Scalar, _ trimmed: Bool)
        -> String
    {
        var digits = Substring(padded(Int(nanoseconds), 9).prefix(count))
        if trimmed {
            while digits.last == "0" { digits.removeLast() }
            if digits.isEmpty { return "" }
        }
        return "\(separator)\(digits)" + String(repeating: "0", count: trimmed ? 0 : max(0, min(count, 1000) - 9))
    }
}
