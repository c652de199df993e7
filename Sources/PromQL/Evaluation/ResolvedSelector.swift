import Streams

/// A selector of a plan at a query's times, in milliseconds.
struct ResolvedSelector: Sendable {
    let matchers: [Matcher]
    let offset: Int64
    /// `@`, where it is given.
    let at: Int64?
    let extent: SelectorExtent
    let range: Int64?
    let skipsBuckets: Bool

    init(_ plan: SelectorPlan, _ query: QueryTimes) {
        matchers = plan.matchers
        offset = plan.offset
        at = plan.at?.milliseconds(in: query)
        extent = plan.extent
        range = plan.range
        skipsBuckets = plan.skipsBuckets
    }

    /// The time of the samples that an evaluation at `time` looks at.
    @inline(__always)
    func reference(_ time: Int64) -> Int64 { (at ?? time) &- offset }

    /// How far beyond its range the selector looks.
    func reach(_ lookback: Int64) -> (before: Int64, after: Int64) {
        switch extent {
        case .samples: (0, 0)
        case .anchored: (lookback, 0)
        case .smoothed: (lookback, lookback)
        }
    }

    /// The times of the samples needed for a grid, both ends included; nil for an empty grid.
    func times(for grid: StepGrid, lookback: Int64) -> ClosedRange<Int64>? {
        if grid.count == 0 { return nil }
        let (before, after) = reach(lookback)
        // Windows are open on the left, hence one millisecond less.
        let length = range.map { $0 &+ before } ?? lookback
        let start = reference(grid.start) &- length &+ 1
        let end = reference(grid.end) &+ after
        return start <= end ? start...end : nil
    }
}

extension ResolvedSelector {
    /// Whether the times are those of a single instant, for which the newest sample is enough.
    func wantsNewest(of times: ClosedRange<Int64>, lookback: Int64) -> Bool {
        range == nil && extent == .samples && !skipsBuckets && times.upperBound &- times.lowerBound &+ 1 == lookback
    }
}

extension AtModifier {
    func milliseconds(in query: QueryTimes) -> Int64 {
        switch self {
        case .timestamp(let time): min(max(time.milliseconds, -(1 << 60)), 1 << 60)
        case .start: query.start
        case .end: query.end
        }
    }
}

extension Evaluation {
    /// What to read for each selector; nil where a selector is never looked at.
    func requests(_ program: Program) -> [SelectRequest?] {
        var times = [ClosedRange<Int64>?](repeating: nil, count: selectors.count)
        collect(program.plan, query.grid, &times)
        return zip(selectors, times).map { selector, times in
            times.map {
                SelectRequest(
                    matchers: selector.matchers, start: Timestamp(milliseconds: $0.lowerBound),
                    end: Timestamp(milliseconds: $0.upperBound), samplesMax: settings.samplesMax,
                    only: settings.only, newestOnly: selector.wantsNewest(of: $0, lookback: lookback))
            }
        }
    }

    private func collect(_ plan: Plan, _ grid: StepGrid, _ times: inout [ClosedRange<Int64>?]) {
        func add(_ number: Int) {
            guard let needed = selectors[number].times(for: grid, lookback: lookback) else { return }
            guard let known = times[number] else {
                times[number] = needed
                return
            }
            times[number] =
                min(known.lowerBound, needed.lowerBound)...max(known.upperBound, needed.upperBound)
        }
        if grid.count == 0 { return }
        switch plan {
        case .selector(let number, _), .smoothedSelector(let number, _), .samples(let number): add(number)
        case .stepInvariant(let inner): collect(inner, grid.first, &times)
        case .subquery(let plan): collect(plan.inner, innerGrid(plan, grid), &times)
        case .window(let plan):
            switch plan.source {
            case .selector(let number): add(number)
            case .subquery(let plan): collect(plan.inner, innerGrid(plan, grid), &times)
            }
        default: break
        }
        for child in plan.children { collect(child, grid, &times) }
    }

    /// The steps at which a subquery's expression is evaluated: multiples of its own step, inside of all the windows
    /// that the outer steps look at.
    func innerGrid(_ plan: SubqueryPlan, _ grid: StepGrid) -> StepGrid {
        let at = plan.at?.milliseconds(in: query)
        let step = max(plan.step ?? settings.subqueryStep.wholeMilliseconds, 1)
        let before = (at ?? grid.start) &- plan.offset &- plan.range
        var start = step &* (before / step)
        if start <= before { start = start &+ step }
        return StepGrid(from: start, through: (at ?? grid.end) &- plan.offset, step: step)
    }
}
