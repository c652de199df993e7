import Streams

/// A selector of the expression; its samples are fetched before evaluation.
struct SelectorPlan: Sendable, Hashable {
    var matchers: [Matcher]
    /// Milliseconds.
    var offset: Int64
    var at: AtModifier?
    var extent: SelectorExtent
    /// Milliseconds; nil for an instant selector.
    var range: Int64?
    /// Only the counts and sums of histograms are looked at.
    var skipsBuckets: Bool
}

struct SubqueryPlan: Sendable {
    var inner: Plan
    /// Milliseconds, as the two below.
    var range: Int64
    /// Nil: the default of the settings.
    var step: Int64?
    var offset: Int64
    var at: AtModifier?
}

struct WindowPlan: Sendable {
    enum Source: Sendable {
        case selector(Int)
        case subquery(SubqueryPlan)
    }

    var function: WindowFunction
    var source: Source
    /// Milliseconds.
    var range: Int64
    /// The scalar arguments.
    var parameters: [Plan]
    /// The first argument.
    var place: Place
    /// For `absent_over_time`: the labels of its result.
    var absentLabels: LabelSet
}

struct SortPlan: Sendable {
    enum Order: Sendable {
        case value(descending: Bool)
        case labels([String], descending: Bool)
    }

    var inner: Plan
    var order: Order
    var place: Place
}

struct LabelReplacePlan: Sendable {
    var inner: Plan
    var target: String
    var replacement: String
    var source: String
    var expression: RegularExpression
}

struct LabelJoinPlan: Sendable {
    var inner: Plan
    var target: String
    var separator: String
    var sources: [String]
}

/// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`, over classic buckets.
struct HistogramPlan: Sendable {
    enum Question: Sendable {
        case quantile(Plan, Place)
        case quantiles([(Plan, Place)], label: String)
        case fraction(Plan, Plan)
    }

    var question: Question
    var inner: Plan
    var innerPlace: Place
}

struct InfoPlan: Sendable {
    var inner: Plan
    /// The info series, by number of their selector.
    var selector: Int
    /// Tells info series among the input, which pass unchanged.
    var nameMatchers: [Matcher]
    /// The wanted labels; empty: all.
    var dataMatchers: [Matcher]
}

struct AggregationPlan: Sendable {
    var op: AggregationOperator
    var inner: Plan
    var parameter: Plan?
    var parameterPlace: Place
    var innerPlace: Place
    var place: Place
    var grouping: Grouping
}

/// `by` and `without`.
struct Grouping: Sendable {
    var labels: [String]
    var isWithout: Bool

    func key(of labels: LabelSet) -> LabelSet {
        isWithout ? labels.without(self.labels) : labels.only(self.labels)
    }
}

struct CountValuesPlan: Sendable {
    var inner: Plan
    var label: String
    var grouping: Grouping
}

struct VectorScalarPlan: Sendable {
    var op: BinaryOperator
    var vector: Plan
    var scalar: Plan
    /// `2 / vector` instead of `vector / 2`.
    var scalarIsLeft: Bool
    var returnsBool: Bool
    var place: Place
}

struct VectorMatchPlan: Sendable {
    var op: BinaryOperator
    var left: Plan
    var right: Plan
    var returnsBool: Bool
    var matching: VectorMatching
    var place: Place
}
