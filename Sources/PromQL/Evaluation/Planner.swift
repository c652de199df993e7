import Streams

/// Makes a plan from an expression whose durations are fixed.
struct Planner {
    /// The selectors met so far; equal ones are one.
    private(set) var selectors: [SelectorPlan] = []

    /// What the expressions around the present one look at in histograms: only count and sum; or buckets, whatever is said
    /// further in.
    private(set) var skipsBuckets = false
    private(set) var needsBuckets = false

    /// A plan, and whether it gives the same at every step of a range query.
    struct Part {
        var plan: Plan
        var isStepInvariant = false
        /// Worth being evaluated once only: literals are not, and range vectors can't.
        var isWrapped = false

        /// The plan as a part of one that varies.
        var insideVarying: Plan { isWrapped ? .stepInvariant(plan) : plan }
    }

    /// The plan of a whole expression.
    mutating func planWhole(_ expression: Expression) throws(EvaluationError) -> Plan {
        let part = try plan(expression)
        return part.insideVarying
    }

    mutating func plan(_ expression: Expression) throws(EvaluationError) -> Part {
        switch expression {
        case .number(let node): return Part(plan: .number(node.value), isStepInvariant: true)
        case .string(let node): return Part(plan: .string(node.value), isStepInvariant: true)
        case .parenthesized(let node): return try plan(node.inner)
        case .vectorSelector(let node):
            let number = add(try selector(node, range: nil))
            let plan = node.extent == .smoothed ? Plan.smoothedSelector(number, node.place) : .selector(number, .value)
            return Part(plan: plan, isStepInvariant: node.at != nil, isWrapped: node.at != nil)
        case .matrixSelector(let node):
            let number = add(try selector(node.selector, range: node.range))
            return Part(plan: .samples(selector: number), isStepInvariant: node.selector.at != nil)
        case .subquery(let node):
            return Part(plan: .subquery(try subquery(node)), isStepInvariant: node.at != nil)
        case .unary(let node):
            var part = try plan(node.operand)
            if node.sign == .minus {
                part.plan = node.operand.type == .scalar ? .scalarNegation(part.plan) : .negation(part.plan)
            }
            return part
        case .binary(let node): return try plan(node)
        case .aggregation(let node): return try plan(node)
        case .call(let node): return try plan(node)
        }
    }

    mutating func add(_ selector: SelectorPlan) -> Int {
        if let number = selectors.firstIndex(of: selector) { return number }
        selectors.append(selector)
        return selectors.count - 1
    }

    func selector(_ node: VectorSelector, range: DurationValue?) throws(EvaluationError) -> SelectorPlan {
        var milliseconds: Int64?
        if let range { milliseconds = try fixed(range) }
        return SelectorPlan(
            matchers: node.matchers, offset: try fixed(node.offset), at: node.at, extent: node.extent,
            range: milliseconds, skipsBuckets: skipsBuckets && !needsBuckets)
    }

    /// Plans what is inside of an expression that looks at histograms that way.
    mutating func inside<Result>(
        skippingBuckets skips: Bool = false, needingBuckets needs: Bool = false,
        _ body: (inout Planner) throws(EvaluationError) -> Result
    ) throws(EvaluationError) -> Result {
        let before = (skipsBuckets, needsBuckets)
        defer { (skipsBuckets, needsBuckets) = before }
        skipsBuckets = skipsBuckets || skips
        needsBuckets = needsBuckets || needs
        return try body(&self)
    }

    mutating func subquery(_ node: Subquery) throws(EvaluationError) -> SubqueryPlan {
        let inner = try inside(needingBuckets: true) { planner throws(EvaluationError) in
            try planner.plan(node.inner)
        }
        var step: Int64?
        if let duration = node.step { step = try fixed(duration) }
        return SubqueryPlan(
            inner: inner.isStepInvariant ? .stepInvariant(inner.plan) : inner.plan, range: try fixed(node.range),
            step: step, offset: try fixed(node.offset), at: node.at)
    }

    private func fixed(_ duration: DurationValue) throws(EvaluationError) -> Int64 {
        guard let duration = duration.fixed else {
            throw .execution("a duration of the expression depends on the query's step or range")
        }
        // Nobody keeps samples for a million years, and sums of such durations stay inside of 64 bits.
        return min(max(duration.wholeMilliseconds, -(1 << 55)), 1 << 55)
    }

    private mutating func plan(_ node: BinaryExpression) throws(EvaluationError) -> Part {
        let (left, right) = try inside(needingBuckets: node.op.isTrim) { planner throws(EvaluationError) in
            (try planner.plan(node.left), try planner.plan(node.right))
        }
        let isStepInvariant = left.isStepInvariant && right.isStepInvariant
        let leftPlan = isStepInvariant ? left.plan : left.insideVarying
        let rightPlan = isStepInvariant ? right.plan : right.insideVarying
        let plan: Plan
        switch (node.left.type, node.right.type) {
        case (.scalar, .scalar):
            plan = .scalarOperation(.binary(node.op), leftPlan, rightPlan)
        case (_, .scalar):
            plan = .vectorAndScalar(
                VectorScalarPlan(
                    op: node.op, vector: leftPlan, scalar: rightPlan, scalarIsLeft: false,
                    returnsBool: node.returnsBool, place: node.place))
        case (.scalar, _):
            plan = .vectorAndScalar(
                VectorScalarPlan(
                    op: node.op, vector: rightPlan, scalar: leftPlan, scalarIsLeft: true,
                    returnsBool: node.returnsBool, place: node.place))
        default:
            let cardinality: VectorMatching.Cardinality = node.op.isSetOperator ? .manyToMany : .oneToOne
            plan = .vectors(
                VectorMatchPlan(
                    op: node.op, left: leftPlan, right: rightPlan, returnsBool: node.returnsBool,
                    matching: node.matching ?? VectorMatching(cardinality: cardinality), place: node.place))
        }
        return Part(plan: plan, isStepInvariant: isStepInvariant, isWrapped: isStepInvariant)
    }

    private mutating func plan(_ node: Aggregation) throws(EvaluationError) -> Part {
        // The parameter does not count: Prometheus decides by the vector alone, and so do we.
        let inner = try plan(node.inner)
        let grouping = Grouping(labels: node.grouping, isWithout: node.isWithout)
        if node.op == .countValues {
            guard let parameter = node.parameter?.unwrapped, case .string(let label) = parameter else {
                throw .execution("count_values needs a string as its first argument")
            }
            guard LabelSet.isLabelName(label.value) else { throw .execution("invalid label name \"\"") }
            var groups = grouping
            if !node.isWithout { groups.labels.append(label.value) }
            let plan = CountValuesPlan(inner: inner.plan, label: label.value, grouping: groups)
            return Part(plan: .countValues(plan), isStepInvariant: inner.isStepInvariant, isWrapped: inner.isWrapped)
        }
        var parameter: Plan?
        if let node = node.parameter { parameter = try plan(node.unwrapped).plan }
        let plan = AggregationPlan(
            op: node.op, inner: inner.plan, parameter: parameter,
            parameterPlace: node.parameter?.unwrapped.place ?? node.place, innerPlace: node.inner.unwrapped.place,
            place: node.place, grouping: grouping)
        return Part(plan: .aggregation(plan), isStepInvariant: inner.isStepInvariant, isWrapped: inner.isWrapped)
    }
}
