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

/// What an evaluation has to read.
struct EvaluationNeeds {
    /// One for each selector; nil where its samples as such are not looked at.
    var requests: [SelectRequest?]
    /// Selectors of which a table is enough.
    var leaves: [Leaf]
}

extension Evaluation {
    func needs(of program: Program) -> EvaluationNeeds {
        var times = [ClosedRange<Int64>?](repeating: nil, count: selectors.count)
        var leaves: [LeafKey: Leaf] = [:]
        collect(program.plan, query.grid, &times, &leaves)
        let requests = times.indices.map { number in times[number].map { request(of: number, $0) } }
        // In an order that is the same each time.
        return EvaluationNeeds(requests: requests, leaves: leaves.values.sorted { $0.number < $1.number })
    }

    func request(of number: Int, _ times: ClosedRange<Int64>) -> SelectRequest {
        SelectRequest(
            matchers: selectors[number].matchers, start: Timestamp(milliseconds: times.lowerBound),
            end: Timestamp(milliseconds: times.upperBound), samplesMax: settings.samplesMax, only: settings.only,
            newestOnly: selectors[number].wantsNewest(of: times, lookback: lookback))
    }

    private func collect(
        _ plan: Plan, _ grid: StepGrid, _ times: inout [ClosedRange<Int64>?], _ leaves: inout [LeafKey: Leaf]
    ) {
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
        case .selector(let number, .value):
            let leaf = Leaf(samplesOf: number, grid)
            leaves[leaf.key] = leaf
        case .selector(let number, _), .smoothedSelector(let number, _), .samples(let number): add(number)
        case .stepInvariant(let inner): collect(inner, grid.first, &times, &leaves)
        case .subquery(let plan): collect(plan.inner, innerGrid(plan, grid), &times, &leaves)
        case .window(let plan):
            switch plan.source {
            case .selector(let number):
                if let leaf = Leaf(plan, grid) { leaves[leaf.key] = leaf } else { add(number) }
            case .subquery(let plan): collect(plan.inner, innerGrid(plan, grid), &times, &leaves)
            }
        default: break
        }
        for child in plan.children { collect(child, grid, &times, &leaves) }
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
