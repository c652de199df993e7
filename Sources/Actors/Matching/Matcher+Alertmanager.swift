package import Streams

extension Matcher {
    /// As Alertmanager prints it: a name that holds reserved characters makes both sides Go's literals; otherwise only
    /// backslash, quote and newline are escaped. Route keys and group keys are made of this, so it has to stay the same.
    package var alertmanagerText: String {
        if name.unicodeScalars.contains(where: isReserved) {
            return "\(quoted(name))\(op.rawValue)\(quoted(value))"
        }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return "\(name)\(op.rawValue)\"\(escaped)\""
    }

    /// The order in which Alertmanager keeps the matchers of a route: by name, value and operator.
    static func isBefore(_ left: Matcher, _ right: Matcher) -> Bool {
        if left.name != right.name { return left.name.isBefore(right.name) }
        if left.value != right.value { return left.value.isBefore(right.value) }
        return left.op.rank < right.op.rank
    }
}

extension Matcher.Operator {
    fileprivate var rank: Int {
        switch self {
        case .equal: 0
        case .notEqual: 1
        case .matches: 2
        case .notMatches: 3
        }
    }
}

extension Sequence<Matcher> {
    /// `{a="b",c=~"d"}`
    package var alertmanagerText: String { "{" + map(\.alertmanagerText).joined(separator: ",") + "}" }
}

extension String {
    /// Go's order of strings: by bytes.
    func isBefore(_ other: String) -> Bool { precedesInBytes(other) }
}

extension LabelSet {
    /// As Alertmanager prints a label set in group keys: `{a="b", c="d"}`, the metric's name being a label like others.
    package var alertmanagerText: String {
        "{" + map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
    }
}
