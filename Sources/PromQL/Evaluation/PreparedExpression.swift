import Streams

/// An expression made ready for being evaluated often: what does not depend on the time of evaluation is done once.
package struct PreparedExpression: Sendable {
    package let expression: Expression
    /// Nil where durations depend on the query's step or range, so that each query needs its own plan.
    private let program: Program?

    /// - Throws: what is wrong with the expression itself, such as a bad regular expression in `label_replace`.
    package init(_ expression: Expression) throws(EvaluationError) {
        self.expression = expression
        program = expression.hasComputedDurations ? nil : try Program(expression)
    }

    func program(for query: QueryTimes) throws(EvaluationError) -> Program {
        if let program { return program }
        let resolved: Expression
        do throws(DurationError) {
            resolved = try expression.resolvingDurations(step: query.stepDuration, range: query.rangeDuration)
        } catch {
            throw .execution("\(error)")
        }
        return try Program(resolved)
    }
}

/// A plan and the selectors it refers to.
struct Program: Sendable {
    let plan: Plan
    let selectors: [SelectorPlan]
    let type: ValueType

    init(_ expression: Expression) throws(EvaluationError) {
        var planner = Planner()
        plan = try planner.planWhole(expression)
        selectors = planner.selectors
        type = expression.type
    }
}

/// From when to when a query is asked, in milliseconds.
struct QueryTimes: Sendable {
    var start: Int64
    var end: Int64
    /// 0 for an instant query.
    var step: Int64

    var stepDuration: Duration { .milliseconds(step) }
    var rangeDuration: Duration { .milliseconds(end &- start) }

    var grid: StepGrid { start == end ? StepGrid(at: start) : StepGrid(from: start, through: end, step: step) }

    func value(of fact: QueryFact) -> Double {
        switch fact {
        case .start: Double(start) / 1000
        case .end: Double(end) / 1000
        case .range: Double(end &- start) / 1000
        case .step: start == end ? 0 : Double(step) / 1000
        }
    }
}

extension Expression {
    /// Whether a duration somewhere inside depends on the query.
    fileprivate var hasComputedDurations: Bool {
        var found = false
        walk { expression in
            let durations: [DurationValue]
            switch expression {
            case .vectorSelector(let node): durations = [node.offset]
            case .matrixSelector(let node): durations = [node.range, node.selector.offset]
            case .subquery(let node): durations = [node.range, node.offset] + (node.step.map { [$0] } ?? [])
            default: return
            }
            if durations.contains(where: { $0.fixed == nil }) { found = true }
        }
        return found
    }
}
