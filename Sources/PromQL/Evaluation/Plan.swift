import Streams

/// One step of an evaluation, made from an expression once: functions are known by case instead of name, labels are
/// sorted out, durations are milliseconds, selectors are numbers in a list.
indirect enum Plan: Sendable {
    // Scalars.
    case number(Double)
    case time
    case queryFact(QueryFact)
    case scalar(of: Plan)
    case scalarOperation(BinaryOperator, Plan, Plan)
    case scalarNegation(Plan)
    case larger(Plan, Plan)
    case smaller(Plan, Plan)

    // Strings.
    case string(String)

    // Instant vectors.
    case selector(Int)
    /// `smoothed`, with the selector's place.
    case smoothedSelector(Int, Place)
    case sampleTimes(selector: Int)
    case evaluationTimes(of: Plan)
    case window(WindowPlan)
    case elements(ElementFunction, Plan)
    case calendar(ElementFunction)
    case bounded(BoundedFunction, Plan, Plan, Plan)
    case negation(Plan)
    case vector(Plan)
    case absent(Plan, LabelSet)
    case sort(SortPlan)
    case labelReplace(LabelReplacePlan)
    case labelJoin(LabelJoinPlan)
    case histogram(HistogramPlan)
    case histogramFact(HistogramFact, Plan)
    /// When the counts of an instant selector's samples began.
    case sampleStarts(selector: Int)
    /// Nothing, once what is inside has been evaluated.
    case nothing(Plan)
    case info(InfoPlan)
    case aggregation(AggregationPlan)
    case countValues(CountValuesPlan)
    case vectorAndScalar(VectorScalarPlan)
    case vectors(VectorMatchPlan)

    /// Gives the same at every step, so one is enough.
    case stepInvariant(Plan)

    // Range vectors, as a whole expression only.
    case samples(selector: Int)
    case subquery(SubqueryPlan)
}

/// What a query knows about itself.
enum QueryFact: String, Sendable {
    case start, end, range, step
}

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

extension Plan {
    /// What has to be evaluated at the same steps first.
    var children: [Plan] {
        switch self {
        case .number, .time, .queryFact, .string, .selector, .smoothedSelector, .sampleTimes, .sampleStarts, .calendar,
            .samples:
            []
        case .scalar(let inner), .scalarNegation(let inner), .evaluationTimes(let inner), .elements(_, let inner),
            .negation(let inner), .vector(let inner), .absent(let inner, _), .histogramFact(_, let inner),
            .nothing(let inner):
            [inner]
        case .stepInvariant, .subquery: []
        case .scalarOperation(_, let left, let right), .larger(let left, let right), .smaller(let left, let right):
            [left, right]
        case .window(let plan): plan.parameters
        case .bounded(_, let inner, let first, let second): [inner, first, second]
        case .sort(let plan): [plan.inner]
        case .labelReplace(let plan): [plan.inner]
        case .labelJoin(let plan): [plan.inner]
        case .histogram(let plan): plan.question.parameters + [plan.inner]
        case .info(let plan): [plan.inner, .sampleTimes(selector: plan.selector)]
        case .aggregation(let plan): (plan.parameter.map { [$0] } ?? []) + [plan.inner]
        case .countValues(let plan): [plan.inner]
        case .vectorAndScalar(let plan): [plan.vector, plan.scalar]
        case .vectors(let plan): [plan.left, plan.right]
        }
    }
}

extension HistogramPlan.Question {
    var parameters: [Plan] {
        switch self {
        case .quantile(let plan, _): [plan]
        case .quantiles(let plans, _): plans.map(\.0)
        case .fraction(let lower, let upper): [lower, upper]
        }
    }
}

extension Plan {
    /// Whether the plan gives a scalar, a string, or series.
    enum Kind {
        case scalar, string, series
    }

    var kind: Kind {
        switch self {
        case .number, .time, .queryFact, .scalar, .scalarOperation, .scalarNegation, .larger, .smaller: .scalar
        case .string: .string
        case .stepInvariant(let inner): inner.kind
        default: .series
        }
    }
}
