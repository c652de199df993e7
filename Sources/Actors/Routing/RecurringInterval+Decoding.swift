import Streams
package import YAML

extension RecurringInterval {
    /// One entry of `time_intervals` of a named interval.
    package init?(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a time interval", diagnostics)
        times = reader.optional("times", .list(of: .minutes))
        weekdays = reader.optional("weekdays", .list(of: .range(Self.weekday)))
        daysOfMonth = reader.optional("days_of_month", .list(of: .dayRange))
        months = reader.optional("months", .list(of: .range(Self.month)))
        years = reader.optional("years", .list(of: .range(Self.year)))
        location = reader.optional("location", .zone)
        reader.finish()
    }

    private static let weekday = NamedNumber(
        what: "day",
        names: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
        namesStartAt: 0, takesNumbers: false, invalid: { "\($0) is not a valid weekday" },
        backwards: { _, _ in "start day cannot be before end day" })

    private static let month = NamedNumber(
        what: "month",
        names: [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ],
        namesStartAt: 1, takesNumbers: true, invalid: { "\($0) is not a valid month" },
        backwards: { "end month \($1) is before start month \($0)" })

    private static let year = NamedNumber(
        what: "year", names: [], namesStartAt: 0, takesNumbers: true, invalid: { "\($0) is not a valid year" },
        backwards: { "end year \($1) is before start year \($0)" })
}

/// One end of a range of weekdays, months or years, and the words for what can be wrong with it.
private struct NamedNumber: Sendable {
    let what: String
    let names: [String]
    let namesStartAt: Int
    let takesNumbers: Bool
    let invalid: @Sendable (String) -> String
    let backwards: @Sendable (String, String) -> String

    func parse(_ text: String) -> Int? {
        if let index = names.firstIndex(of: text) { return index + namesStartAt }
        return takesNumbers ? Int(text) : nil
    }
}

extension Format where Value == ClosedRange<Int> {
    /// `a` or `a:b`.
    fileprivate static func range(_ kind: NamedNumber) -> Format {
        .ends { text, first, last in
            guard let start = kind.parse(first) else { return .failure(Problem(kind.invalid(first))) }
            guard let end = kind.parse(last) else { return .failure(Problem(kind.invalid(last))) }
            return start <= end ? .success(start...end) : .failure(Problem(kind.backwards(first, last)))
        }
    }
}

extension Format where Value == RecurringInterval.DayRange {
    fileprivate static var dayRange: Format {
        .ends { text, first, last in
            var ends: [Int] = []
            for end in [first, last] {
                guard let day = Int(end) else { return .failure(Problem("\(end) is not a valid day of the month")) }
                guard day != 0, (-31...31).contains(day) else {
                    return .failure(Problem("\(day) is not a valid day of the month: out of range"))
                }
                ends.append(day)
            }
            let (begin, end) = (ends[0], ends[1])
            if begin < 0, end > 0 {
                return .failure(Problem("end day must be negative if start day is negative"))
            }
            // The shortest month decides what can never hold.
            if (begin < 0 ? 28 + begin : begin) > (end < 0 ? 28 + end : end) {
                return .failure(Problem("end day \(end) is always before start day \(begin)"))
            }
            return .success(RecurringInterval.DayRange(begin, end))
        }
    }
}

private struct Problem: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

extension Format {
    /// Cuts `a:b` in two, `a` standing for `a:a`; upper and lower case are the same.
    fileprivate static func ends(
        _ build: @escaping (_ text: String, _ first: String, _ last: String) -> Result<Value, Problem>
    ) -> Format {
        Format { node, diagnostics in
            guard let text = Format<String>.text.decode(node, diagnostics)?.lowercased() else { return nil }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, let first = parts.first, let last = parts.last else {
                diagnostics.report(.invalid("\(node.summary) is no range; write one as first:last"), at: node)
                return nil
            }
            switch build(text, first, last) {
            case .success(let value): return value
            case .failure(let problem):
                // What came from the environment may be a secret.
                let shown = node.isFromEnvironment ? "\(node.summary) is not valid here" : problem.text
                diagnostics.report(.invalid(shown), at: node)
                return nil
            }
        }
    }
}

extension Format where Value == Range<Int> {
    /// `{start_time: HH:MM, end_time: HH:MM}` in minutes; the end may be 24:00.
    fileprivate static var minutes: Format {
        Format { node, diagnostics in
            let reader = MappingReader(node, "a time range", diagnostics)
            let start = reader.optional("start_time", .minute)
            let end = reader.optional("end_time", .minute)
            let isWhole = reader.isPresent("start_time") && reader.isPresent("end_time")
            reader.finish()
            guard isWhole else {
                diagnostics.report(.invalid("both start and end times must be provided"), at: node)
                return nil
            }
            guard let start, let end else { return nil }
            guard start < end else {
                diagnostics.report(.invalid("start time cannot be equal or greater than end time"), at: node)
                return nil
            }
            return start..<end
        }
    }
}

extension Format where Value == Int {
    /// `HH:MM` in minutes, `24:00` among them.
    fileprivate static var minute: Format {
        Format { node, diagnostics in
            guard let text = Format<String>.text.decode(node, diagnostics) else { return nil }
            let bytes = Array(text.utf8)
            let digits = [0, 1, 3, 4].compactMap { index -> Int? in
                guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
                return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) ? Int(bytes[index] - 48) : nil
            }
            if digits.count == 4 {
                let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
                if (hour < 24 && minute < 60) || (hour == 24 && minute == 0) { return hour * 60 + minute }
            }
            diagnostics.report(
                .invalid("couldn't parse timestamp \(node.summary), invalid format; write HH:MM"), at: node)
            return nil
        }
    }
}

extension Format where Value == NamedZone {
    /// A zone by its name in the zone database.
    fileprivate static var zone: Format {
        Format { node, diagnostics in
            guard let name = Format<String>.text.decode(node, diagnostics) else { return nil }
            if let zone = NamedZone(named: name) { return zone }
            diagnostics.report(.invalid("unknown time zone \(node.summary)"), at: node)
            return nil
        }
    }
}
