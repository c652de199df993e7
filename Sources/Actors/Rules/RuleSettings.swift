package import PromQL
package import Streams
package import YAML

/// One rule as it is written: Prometheus's recording and alerting rules. Equal settings are the same rule, wherever in the
/// file they stand.
package struct RuleSettings: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The name of the metric that the result is recorded as.
        case record(String)
        /// The alert's name.
        case alert(String)
    }

    package var kind: Kind
    package var expression: Expression
    /// The expression as it is written, without blanks around it.
    package var expressionText: String
    /// `for`: how long the expression holds before the alert fires.
    package var holdDuration: Duration
    package var keepFiringFor: Duration
    /// Sorted by name; those of the group are among them. Values of an alerting rule are templates; an empty value removes
    /// the label.
    package var labels: [Label]
    /// Sorted by name; values are templates.
    package var annotations: [Label]
    package var origin: Origin

    package init(
        kind: Kind, expression: Expression, expressionText: String, holdDuration: Duration = .zero,
        keepFiringFor: Duration = .zero, labels: [Label] = [], annotations: [Label] = [], origin: Origin
    ) {
        self.kind = kind
        self.expression = expression
        self.expressionText = expressionText
        self.holdDuration = holdDuration
        self.keepFiringFor = keepFiringFor
        self.labels = labels
        self.annotations = annotations
        self.origin = origin
    }

    package var name: String {
        switch kind {
        case .record(let name), .alert(let name): name
        }
    }

    package var isAlert: Bool { if case .alert = kind { true } else { false } }
}

/// A group of rules as it is written: evaluated in order, at one timestamp.
package struct RuleGroupSettings: Hashable, Sendable {
    package var name: String
    /// The file that it stands in; with the name it identifies the group.
    package var file: String
    /// Nil: the global `evaluation_interval`.
    package var interval: Duration?
    /// Nil: the global `rule_query_offset`.
    package var queryOffset: Duration?
    /// The most series or alerts that a rule may give; 0: any number.
    package var limit: Int
    package var rules: [RuleSettings]
    package var origin: Origin

    package init(
        name: String, file: String, interval: Duration? = nil, queryOffset: Duration? = nil, limit: Int = 0,
        rules: [RuleSettings], origin: Origin
    ) {
        self.name = name
        self.file = file
        self.interval = interval
        self.queryOffset = queryOffset
        self.limit = limit
        self.rules = rules
        self.origin = origin
    }
}
