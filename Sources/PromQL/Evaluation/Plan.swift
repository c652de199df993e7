import Streams

/// One step of an evaluation, made from an expression once: functions are known by case instead of name, labels are
/// sorted out, durations are milliseconds, selectors are numbers in a list.
indirect enum Plan: Sendable {
    // Scalars.
    case number(Double)
    case time
    case queryFact(QueryFact)
    case scalar(of: Plan)
    case scalarOperation(ScalarOperation, Plan, Plan)
    case scalarNegation(Plan)

    // Strings.
    case string(String)

    // Instant vectors.
    case selector(Int, SampleAspect)
    /// `smoothed`, with the selector's place.
    case smoothedSelector(Int, Place)
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

/// What is made of two scalars.
enum ScalarOperation: Sendable {
    case binary(BinaryOperator)
    case larger, smaller
}

/// What of a selector's samples is asked for; times in seconds.
enum SampleAspect: Sendable {
    case value, time
    /// When the sample's count began.
    case start
}

/// What a query knows about itself.
enum QueryFact: String, Sendable {
    case start, end, range, step
}

extension Plan {
    /// What has to be evaluated at the same steps first.
    var children: [Plan] {
        switch self {
        case .number, .time, .queryFact, .string, .selector, .smoothedSelector, .calendar,
            .samples:
            []
        case .scalar(let inner), .scalarNegation(let inner), .evaluationTimes(let inner), .elements(_, let inner),
            .negation(let inner), .vector(let inner), .absent(let inner, _), .histogramFact(_, let inner),
            .nothing(let inner):
            [inner]
        case .stepInvariant, .subquery: []
        case .scalarOperation(_, let left, let right): [left, right]
        case .window(let plan): plan.parameters
        case .bounded(_, let inner, let first, let second): [inner, first, second]
        case .sort(let plan): [plan.inner]
        case .labelReplace(let plan): [plan.inner]
        case .labelJoin(let plan): [plan.inner]
        case .histogram(let plan): plan.question.parameters + [plan.inner]
        case .info(let plan): [plan.inner, .selector(plan.selector, .time)]
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
        case .number, .time, .queryFact, .scalar, .scalarOperation, .scalarNegation: .scalar
        case .string: .string
        case .stepInvariant(let inner): inner.kind
        default: .series
        }
    }
}
