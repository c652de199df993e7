package import Streams

/// What an expression depends on, for those who evaluate it only when something it depends on has changed.
package struct ExpressionProfile: Sendable, Hashable {
    /// The series and times that one selector looks at, seen from the time of evaluation.
    package struct Selection: Sendable, Hashable {
        package let matchers: [Matcher]
        /// How old the oldest sample may be that has an influence; a sample of exactly that age has none.
        package let reach: Duration
        /// How old a sample must be before it has an influence: the offset. Negative: samples from the future count.
        package let delay: Duration
        /// The selector looks at a fixed time (`@ 1609746000`), so reach and delay mean nothing.
        package let isPinned: Bool
    }

    /// By what a value can become another.
    package enum Change: Int, Sendable, Hashable, Comparable {
        /// By nothing.
        case never
        /// By new samples and stale markers, and when the newest sample of a series grows older than the lookback.
        case bySamples
        /// By the mere passing of time besides: a window slides, an offset ends, the clock is asked.
        case byTime

        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// One for each selector, in the order of the text.
    package let selections: [Selection]
    /// Each series of the result comes from exactly one series of the only selector, whatever the others are: then it
    /// is enough to evaluate the series that changed (`EvaluationSettings.only`).
    package let isElementWise: Bool
    package let change: Change

    /// - Parameter expression: its durations are fixed or depend on the query, which then is an instant one.
    package init(_ expression: Expression, lookback: Duration = EvaluationSettings().lookback) {
        let fixed = (try? expression.resolvingDurations(step: .zero, range: .zero)) ?? expression
        var survey = Survey(lookback: lookback)
        survey.visit(fixed, ElapsedTime())
        selections = survey.selections
        change = survey.change
        isElementWise =
            selections.count == 1 && fixed.isElementWise
            && selections[0].matchers.contains { $0.name == LabelSet.metricName && $0.op == .equal }
    }

    /// Whether a sample of a series with those labels has an influence.
    package func dependsOn(_ labels: LabelSet) -> Bool { selections.contains { $0.matchers.accept(labels) } }

    /// The longest reach of all selectors.
    package var reach: Duration { selections.filter { !$0.isPinned }.map(\.reach).max() ?? .zero }
}

/// How far the subqueries around a selector move it into the past.
private struct ElapsedTime {
    var reach = Duration.zero
    var delay = Duration.zero
    var isPinned = false
}

private struct Survey {
    let lookback: Duration
    var selections: [ExpressionProfile.Selection] = []
    var change = ExpressionProfile.Change.never

    mutating func visit(_ expression: Expression, _ elapsed: ElapsedTime) {
        switch expression {
        case .vectorSelector(let node): add(node, range: nil, elapsed)
        case .matrixSelector(let node): add(node.selector, range: node.range.fixed ?? .zero, elapsed)
        case .subquery(let node):
            var inner = elapsed
            if node.at?.isFixed == true {
                inner.isPinned = true
            } else {
                let offset = node.offset.fixed ?? .zero
                inner.reach += offset + (node.range.fixed ?? .zero)
                inner.delay += offset
                if !elapsed.isPinned { change = .byTime }
            }
            visit(node.inner, inner)
        case .call(let node):
            if node.readsClock, !elapsed.isPinned { change = .byTime }
            for argument in node.arguments { visit(argument, elapsed) }
        default:
            for child in expression.children { visit(child, elapsed) }
        }
    }

    private mutating func add(_ node: VectorSelector, range: Duration?, _ elapsed: ElapsedTime) {
        let isPinned = elapsed.isPinned || node.at?.isFixed == true
        let offset = node.offset.fixed ?? .zero
        var reach = range ?? lookback
        if range != nil, node.extent != .samples { reach += lookback }
        var delay = elapsed.delay + offset
        if node.extent == .smoothed { delay -= lookback }
        selections.append(
            ExpressionProfile.Selection(
                matchers: node.matchers, reach: elapsed.reach + offset + reach, delay: delay, isPinned: isPinned))
        let slides = range != nil || offset != .zero || node.extent != .samples
        change = max(change, slides && !isPinned ? .byTime : .bySamples)
    }
}

extension AtModifier {
    /// Not the query's own start or end, which are the time of evaluation.
    fileprivate var isFixed: Bool {
        if case .timestamp = self { return true }
        return false
    }
}

extension FunctionCall {
    /// Whether its value depends on the time of evaluation by itself.
    fileprivate var readsClock: Bool {
        switch function.name {
        case "time", "start", "end": return true
        case "timestamp":
            if case .vectorSelector = arguments.first?.unwrapped { return false }
            return true
        case "predict_linear": return true
        default: return arguments.isEmpty && ElementFunction(rawValue: function.name)?.isCalendar == true
        }
    }
}

extension Expression {
    /// Whether each series of the result comes from one series of the selector inside.
    fileprivate var isElementWise: Bool {
        switch unwrapped {
        case .vectorSelector: true
        case .unary(let node): node.operand.isElementWise
        case .binary(let node):
            if node.left.type == .scalar {
                node.right.isElementWise
            } else {
                node.right.type == .scalar && node.left.isElementWise
            }
        case .call(let node): node.isElementWise
        default: false
        }
    }

    /// The same of a range vector.
    fileprivate var isElementWiseRange: Bool {
        switch unwrapped {
        case .matrixSelector: true
        case .subquery(let node): node.inner.isElementWise
        default: false
        }
    }
}

extension FunctionCall {
    fileprivate var isElementWise: Bool {
        if function.name == "absent_over_time" { return false }
        if WindowFunction(rawValue: function.name) != nil {
            return arguments.contains { $0.type == .matrix && $0.isElementWiseRange }
        }
        let isKnown =
            ElementFunction(rawValue: function.name) != nil || BoundedFunction(rawValue: function.name) != nil
            || HistogramFact(rawValue: function.name) != nil || function.name == "timestamp"
        return isKnown && (arguments.first?.isElementWise ?? false)
    }
}
