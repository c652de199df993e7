/// One label test, of bytes. A label that is absent has the value "".
package struct Matcher: Hashable, Sendable {
    package enum Operator: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case notMatches = "!~"
    }

    package let name: String
    package let op: Operator
    package let value: String
    private let expression: RegularExpression?

    /// - Throws: where `op` is a regular expression's and `value` none that RE2 takes.
    package init(_ name: String, _ op: Operator, _ value: String) throws(RegularExpression.SyntaxError) {
        self.name = name
        self.op = op
        self.value = value
        switch op {
        case .equal, .notEqual: expression = nil
        case .matches, .notMatches: expression = try RegularExpression(value)
        }
    }

    package init(_ name: String, equals value: String) {
        self.name = name
        self.op = .equal
        self.value = value
        expression = nil
    }

    package func accepts(_ text: String) -> Bool {
        switch op {
        case .equal: text.hasSameBytes(as: value)
        case .notEqual: !text.hasSameBytes(as: value)
        case .matches: expression?.matches(text) ?? false
        case .notMatches: !(expression?.matches(text) ?? false)
        }
    }

    package func accepts(_ labels: LabelSet) -> Bool { accepts(labels[name] ?? "") }
}

extension Matcher {
    package static func == (left: Self, right: Self) -> Bool {
        left.op == right.op && left.name.hasSameBytes(as: right.name) && left.value.hasSameBytes(as: right.value)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(op)
        name.hashBytes(into: &hasher)
        value.hashBytes(into: &hasher)
    }
}

extension Sequence where Element == Matcher {
    package func accept(_ labels: LabelSet) -> Bool { allSatisfy { $0.accepts(labels) } }
}

extension Matcher: CustomStringConvertible {
    package var description: String {
        let shown = LabelSet.isLegacyLabelName(name) ? name : quoted(name)
        return "\(shown)\(op.rawValue)\(quoted(value))"
    }
}
