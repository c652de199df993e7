/// The methods of times, durations, months and weekdays.
enum TimeMethods {
    static func method(_ name: String, of value: Value) -> Function? {
        switch value {
        case .time: times[name]
        case .duration: durations[name]
        case .named: named[name]
        default: nil
        }
    }

    private static func time(_ body: @escaping @Sendable (Moment, [Value]) throws -> Value)
        -> @Sendable (Executor, [Value]) throws -> Value
    {
        { _, arguments in
            guard case .time(let moment) = arguments[0] else { throw CallFailure("not a time") }
            return try body(moment, arguments)
        }
    }

    private static func property(_ body: @escaping @Sendable (Moment) -> Value) -> Function {
        Function(body: time { moment, _ in body(moment) })
    }

    private static func other(_ body: @escaping @Sendable (Moment, Moment) -> Value) -> Function {
        Function(
            .time,
            body: time { moment, arguments in
                guard case .time(let other) = arguments[1] else { throw CallFailure("not a time") }
                return body(moment, other)
            })
    }

    private static func shifted(_ body: @escaping @Sendable (Moment, Int64) -> Moment) -> Function {
        Function(
            .duration,
            body: time { moment, arguments in
                guard case .duration(let duration) = arguments[1] else { throw CallFailure("not a duration") }
                return .time(body(moment, duration))
            })
    }

    private static func whole(_ value: Int128) -> Value { .int(Int(clamping: value)) }

    private static let times: [String: Function] = [
        "Format": Function(.string, body: time { .string(Layout.format($0, $1[1].text)) }),
        "String": property { .string($0.description) },
        "UTC": property { .time($0.inZone(.utc)) },
        "Local": property { .time($0.inZone(Zone.load("Local") ?? .utc)) },
        "Unix": property { .int(Int($0.seconds)) },
        "UnixMilli": property { whole(floor($0.nanosecondsSinceEpoch, 1_000_000)) },
        "UnixMicro": property { whole(floor($0.nanosecondsSinceEpoch, 1000)) },
        "UnixNano": property { whole($0.nanosecondsSinceEpoch) },
        "IsZero": property { .bool($0.isZero) },
        "Year": property { .int($0.local.year) },
        "Month": property { .named($0.local.month, CivilTime.monthNames[$0.local.month - 1], type: "time.Month") },
        "Day": property { .int($0.local.day) },
        "Hour": property { .int($0.local.hour) },
        "Minute": property { .int($0.local.minute) },
        "Second": property { .int($0.local.second) },
        "Nanosecond": property { .int(Int($0.nanoseconds)) },
        "YearDay": property { .int($0.local.dayOfYear) },
        "Weekday": property {
            .named($0.local.weekday, CivilTime.weekdayNames[$0.local.weekday], type: "time.Weekday")
        },
        "Location": property { .string($0.zone.name) },
        "Sub": other { .duration($0.since($1)) },
        "After": other { .bool($1 < $0) },
        "Before": other { .bool($0 < $1) },
        "Equal": other { .bool(Moment.isSameInstant($0, $1)) },
        "Compare": other { .int($0 < $1 ? -1 : $1 < $0 ? 1 : 0) },
        "Add": shifted { $0.adding($1) },
        "Truncate": shifted { $0.truncated(to: $1) },
        "Round": shifted { $0.rounded(to: $1) },
        "AddDate": Function(
            .int, .int, .int,
            body: time { moment, arguments in
                let numbers = arguments.dropFirst().map { if case .int(let number) = $0 { number } else { 0 } }
                return .time(adding(years: numbers[0], months: numbers[1], days: numbers[2], to: moment))
            }),
    ]

    private static func floor(_ value: Int128, _ divisor: Int128) -> Int128 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// A day that the month does not have runs over into the next, as in Go.
    private static func adding(years: Int, months: Int, days: Int, to moment: Moment) -> Moment {
        let bound = 1_000_000
        let local = moment.local
        let month = local.month - 1 + min(max(months, -bound), bound)
        let year = local.year + min(max(years, -bound), bound) + Int(CivilTime.floorDivide(Int64(month), 12))
        let wrapped = (month % 12 + 12) % 12 + 1
        let first = CivilTime.day(year: year, month: wrapped, day: 1)
        let day = first + Int64(local.day - 1) + Int64(min(max(days, -bound * 366), bound * 366))
        let wall = day * 86_400 + Int64(local.hour * 3600 + local.minute * 60 + local.second)
        let guess = wall - Int64(moment.zone.offset(at: moment.seconds).seconds)
        return Moment(
            seconds: wall - Int64(moment.zone.offset(at: guess).seconds), nanoseconds: moment.nanoseconds,
            zone: moment.zone)
    }

    private static func duration(_ body: @escaping @Sendable (Int64) -> Value) -> Function {
        Function { _, arguments in
            guard case .duration(let nanoseconds) = arguments[0] else { throw CallFailure("not a duration") }
            return body(nanoseconds)
        }
    }

    /// Whole units and the rest apart, as Go divides.
    private static func units(_ nanoseconds: Int64, _ unit: Int64) -> Value {
        .double(Double(nanoseconds / unit) + Double(nanoseconds % unit) / Double(unit))
    }

    private static func toMultiple(_ body: @escaping @Sendable (Int64, Int64) -> Int64) -> Function {
        Function(.duration) { _, arguments in
            guard case .duration(let value) = arguments[0], case .duration(let unit) = arguments[1] else {
                throw CallFailure("not a duration")
            }
            return .duration(unit <= 0 ? value : body(value, unit))
        }
    }

    private static let durations: [String: Function] = [
        "String": duration { .string(GoDuration.text($0)) },
        "Hours": duration { units($0, 3_600_000_000_000) },
        "Minutes": duration { units($0, 60_000_000_000) },
        "Seconds": duration { units($0, 1_000_000_000) },
        "Milliseconds": duration { .int(Int($0 / 1_000_000)) },
        "Microseconds": duration { .int(Int($0 / 1000)) },
        "Nanoseconds": duration { .int(Int($0)) },
        "Abs": duration { .duration(Int64(clamping: $0.magnitude)) },
        "Truncate": toMultiple { $0 - $0 % $1 },
        "Round": toMultiple { value, unit in
            let rest = value % unit
            let below = value - rest
            guard rest.magnitude >= unit.magnitude - rest.magnitude else { return below }
            let (sum, overflows) = below.addingReportingOverflow(value < 0 ? -unit : unit)
            return overflows ? (value < 0 ? .min : .max) : sum
        },
    ]

    private static let named: [String: Function] = [
        "String": .property { .string($0.ownText ?? "") }
    ]
}
