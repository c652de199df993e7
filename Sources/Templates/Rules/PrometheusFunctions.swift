/// What Prometheus adds to Go's functions in rules, and in consoles.
enum PrometheusFunctions {
    static let rules: [String: Function] = CommonFunctions.table.merging(own) { _, own in own }

    /// Consoles can also call templates by computed names.
    static let consoles: [String: Function] = rules.merging([
        "tmpl": Function(.string, .any) { executor, arguments in
            let text = try executor.nested(at: Position(line: 1, column: 0)) {
                try executor.run(arguments[0].text, on: arguments[1].unwrapped)
            }
            return .trusted(.html, text)
        }
    ]) { _, console in console }

    private static let own: [String: Function] = [
        "query": Function(.string) { executor, arguments in try query(arguments[0].text, executor) },
        "first": Function(.list(SampleTypes.result)) { _, arguments in
            guard let first = arguments[0].elements.first else {
                throw CallFailure("first() called on vector with no elements")
            }
            return first
        },
        "label": Function(.string, .record(SampleTypes.sample)) { _, arguments in
            .string(label(arguments[0].text, of: arguments[1]))
        },
        "value": Function(.record(SampleTypes.sample)) { _, arguments in
            guard case .record(let sample) = arguments[0] else { return .absent }
            return sample.value("Value") ?? .absent
        },
        "strvalue": Function(.record(SampleTypes.sample)) { _, arguments in
            .string(label("__value__", of: arguments[0]))
        },
        "sortByLabel": Function(.string, .list(SampleTypes.result)) { _, arguments in
            let name = arguments[0].text
            let sorted = arguments[1].elements.sorted { isOrderedByBytes(label(name, of: $0), label(name, of: $1)) }
            return .list(List(SampleTypes.result, sorted))
        },
        "args": Function(variadic: .any) { _, arguments in
            var entries: [String: Value] = [:]
            for (index, argument) in arguments.enumerated() { entries["arg\(index)"] = argument }
            return .plainMap(entries)
        },
        "title": .text { CommonFunctions.titleKeepingRest($0) },
        "graphLink": .text { "/graph?g0.expr=\(GoText.queryEscaped($0))&g0.tab=0" },
        "tableLink": .text { "/graph?g0.expr=\(GoText.queryEscaped($0))&g0.tab=1" },
        "urlQueryEscape": .text { GoText.queryEscaped($0) },
        "stripPort": .text { CommonFunctions.splitHostPort($0)?.host ?? $0 },
        "stripDomain": .text { stripDomain($0) },
        "humanize": number { .string(Humanize.decimal($0)) },
        "humanize1024": number { .string(Humanize.binary($0)) },
        "humanizePercentage": number { .string(Humanize.significant($0 * 100) + "%") },
        "humanizeTimestamp": number { value in
            .string(value.isFinite ? try moment(value).description : Humanize.significant(value))
        },
        "toTime": number { .time(try moment($0)) },
        "toDuration": number { value in
            let nanoseconds = value * 1e9
            guard nanoseconds.magnitude < 9.2233720368547e18 else {
                throw CallFailure(
                    "\(FloatText.shortest(value)) cannot be represented as a duration since it overflows int64")
            }
            return .duration(Int64(nanoseconds))
        },
        "now": Function { executor, _ in
            .double(Double(executor.environment.now.nanosecondsSinceEpoch / 1_000_000) / 1000)
        },
        "pathPrefix": Function { executor, _ in .string(executor.environment.pathPrefix) },
        "externalURL": Function { executor, _ in .string(executor.environment.externalURL) },
        "parseDuration": Function(.string) { _, arguments in
            let text = arguments[0].text
            let isNegative = text.hasPrefix("-")
            guard let milliseconds = GoDuration.parse(isNegative ? String(text.dropFirst()) : text) else {
                throw CallFailure("not a valid duration string: \(GoText.quote(text))")
            }
            return .double(Double(isNegative ? -milliseconds : milliseconds) / 1000)
        },
    ]

    private static func number(_ body: @escaping @Sendable (Double) throws -> Value) -> Function {
        Function(.any) { _, arguments in try body(try CommonFunctions.number(arguments[0])) }
    }

    private static func query(_ text: String, _ executor: Executor) throws -> Value {
        switch executor.environment.queries[text] {
        case .result(let value): return value
        case .failure(let reason): throw CallFailure(reason)
        case nil: throw QueryNeeded(query: text)
        }
    }

    private static func label(_ name: String, of sample: Value) -> String {
        guard case .record(let record) = sample, case .map(let labels) = record.value("Labels") else { return "" }
        return labels.entries[name]?.text ?? ""
    }

    private static func stripDomain(_ text: String) -> String {
        let parts = CommonFunctions.splitHostPort(text)
        let host = parts?.host ?? text
        if CommonFunctions.isAddress(host) { return text }
        let short = String(host.prefix { $0 != "." })
        guard let port = parts?.port, !port.isEmpty else { return short }
        return "\(short):\(port)"
    }

    /// Seconds since the epoch, to the millisecond.
    private static func moment(_ seconds: Double) throws -> Moment {
        let nanoseconds = seconds * 1e9
        guard nanoseconds.magnitude < 9.2233720368547e18 else {
            throw CallFailure(
                "\(FloatText.shortest(seconds)) cannot be represented as a nanoseconds timestamp since it overflows int64"
            )
        }
        return Moment(milliseconds: Int64(nanoseconds) / 1_000_000)
    }
}

/// Thrown out of an execution that asks for a query whose answer is not there yet.
struct QueryNeeded: Error {
    let query: String
}

/// What a query of a template gave.
enum QueryAnswer: Sendable {
    case result(Value)
    case failure(String)
}

/// The types of what `query` gives.
enum SampleTypes {
    static let sample = RecordType(name: "*template.sample", fields: ["Labels", "Value"])
    static let result = ListType(name: "template.queryResult", elementName: "*template.sample")
}
