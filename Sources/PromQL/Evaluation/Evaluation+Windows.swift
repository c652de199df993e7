import Streams

extension Evaluation {
    /// A function over ranges, at every step: each series is walked once, its window sliding along.
    mutating func windows(_ plan: WindowPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let table = try slidTable(plan, grid)
        if plan.function == .absent { return try absent(table, plan.absentLabels) }
        if plan.function.keepsName || delaysNameRemoval { return table }
        let staysDistinct = table.canLoseNames
        let nameless = table.withoutNames()
        // Not even at different steps may such series meet.
        if !staysDistinct, try nameless.hasEqualLabels(patience) { throw .equalLabels }
        return nameless
    }

    private func dropsNames(_ plan: WindowPlan) -> Bool {
        !plan.function.keepsName && plan.function != .absent && !delaysNameRemoval
    }

    /// A vector for those to whom names don't matter, or who drop them when fewer rows are left.
    mutating func unnamed(_ plan: Plan, _ grid: StepGrid) throws(EvaluationError) -> UnnamedTable {
        switch plan {
        case .window(let plan) where dropsNames(plan):
            try checkpoint(rows: 32)
            let table = try slidTable(plan, grid)
            if table.canLoseNames { return UnnamedTable(table: table, hasNames: true) }
            let nameless = table.withoutNames()
            if try nameless.hasEqualLabels(patience) { throw .equalLabels }
            return UnnamedTable(table: nameless, hasNames: false)
        case .vectorAndScalar(let plan): return try unnamedCombined(plan, grid)
        default: return UnnamedTable(table: try vector(plan, grid), hasNames: false)
        }
    }

    private mutating func slidTable(_ plan: WindowPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        let input: WindowInput
        switch plan.source {
        case .selector(let number):
            let made = Leaf(plan, grid).flatMap { leaves[$0.key] }
            if case .table(let table) = made { return table }
            var block = blocks[number]
            if case .samples(let samples) = made { block = samples }
            input = WindowInput(block.withoutStaleMarkers(), selectors[number], lookback)
        case .subquery(let subquery):
            let inner = innerGrid(subquery, grid)
            let table = try forgettingResets(try subqueryTable(subquery, inner))
            input = WindowInput(table, inner, offset: subquery.offset, at: subquery.at?.milliseconds(in: query))
        }
        var parameters: [[Double]] = []
        for parameter in plan.parameters { parameters.append(try scalars(parameter, grid)) }
        try reserve(rows: input.block.count, steps: grid.count)
        var table = SeriesTable(steps: grid.count)
        table.reserveCapacity(input.block.count)
        try slide(plan, input, parameters, grid, into: &table)
        return table
    }

    mutating func subqueryTable(_ plan: SubqueryPlan, _ inner: StepGrid) throws(EvaluationError) -> SeriesTable {
        guard inner.count <= settings.samplesMax else { throw .tooManySamples }
        guard inner.count > 0 else { return SeriesTable(steps: 0) }
        guard case .scalar = plan.inner.kind else { return try vector(plan.inner, inner) }
        return SeriesTable(LabelSet(), try scalars(plan.inner, inner))
    }

    /// Adds a row for each series of the input that gives anything.
    mutating func slide(
        _ plan: WindowPlan, _ input: WindowInput, _ parameters: [[Double]], _ grid: StepGrid,
        into table: inout SeriesTable
    ) throws(EvaluationError) {
        let function = plan.function
        var windows = SlidingWindows(range: plan.range, input: input, grid: grid)
        let times = input.block.timestamps.span
        let values = input.block.values.span
        let addsUp = (function == .avg || function == .sum) && input.extent == .samples && grid.count >= 4
        var checkedName: String?
        var column = [Double](repeating: Absent.value, count: grid.count)
        for row in 0..<input.block.count {
            try checkpoint(rows: 1 + grid.count / 64)
            let labels = input.block.labels[row]
            let samples = input.block.bounds[row]..<input.block.bounds[row + 1]
            if needsCare(input.block, samples, function) {
                let column = try mixedColumn(plan, input, row, parameters, grid)
                if !column.contains(where: \.isPresent) { continue }
                if function.wantsCounter, column.contains(where: { $0.isPresent && !$0.isHistogram }) {
                    warnUnlessCounter(labels, plan.place, &checkedName)
                }
                table.appendRow(labels, dropsName: input.dropsName(row, function, delaysNameRemoval), column)
                continue
            }
            windows.begin(samples, values, function)
            if addsUp {
                guard windows.addUp(function, times, values, into: &column) else { continue }
                table.appendRow(labels, dropsName: input.dropsName(row, function, delaysNameRemoval), column)
                continue
            }
            for step in column.indices { column[step] = Absent.value }
            var isEmpty = true
            for step in 0..<grid.count {
                guard let window = windows.advance(to: step, times) else { continue }
                if function == .quantile || function == .doubleExponentialSmoothing {
                    try check(function, parameters, step, plan.place)
                }
                let value = windows.evaluate(
                    function, window, times, values, parameters.isEmpty ? 0 : parameters[0][step],
                    parameters.count < 2 ? 0 : parameters[1][step])
                column[step] = value
                if value.isPresent { isEmpty = false }
            }
            if isEmpty { continue }
            if function.wantsCounter { warnUnlessCounter(labels, plan.place, &checkedName) }
            table.appendRow(labels, dropsName: input.dropsName(row, function, delaysNameRemoval), column)
        }
    }

    /// Whether the samples of a series are more than floats.
    private func needsCare(_ block: SeriesBlock, _ samples: Range<Int>, _ function: WindowFunction) -> Bool {
        if settings.usesStartTimestamps, function.usesStarts, !block.starts.isEmpty { return true }
        return !pool.isEmpty && block.values[samples].contains(where: \.isHistogram)
    }

    /// Warns of parameters out of their bounds, or fails as Prometheus does.
    mutating func check(
        _ function: WindowFunction, _ parameters: [[Double]], _ step: Int, _ place: Place
    ) throws(EvaluationError) {
        let first = parameters[0][step]
        if function == .quantile {
            if !(first >= 0 && first <= 1) { annotations.add(.invalidQuantile(first, at: place)) }
            return
        }
        func message(_ name: String, _ symbol: String, _ value: Double) -> EvaluationError {
            let shown = formatFloat(value, .fixed, precision: 6)
            return .execution("invalid \(name) factor. Expected: 0 < \(symbol) < 1, got: \(shown)")
        }
        if first <= 0 || first >= 1 { throw message("smoothing", "sf", first) }
        let second = parameters[1][step]
        if second <= 0 || second >= 1 { throw message("trend", "tf", second) }
    }

    private static let counterSuffixes = ["_total", "_sum", "_count", "_bucket"]

    private mutating func warnUnlessCounter(_ labels: LabelSet, _ place: Place, _ checkedName: inout String?) {
        guard let name = labels.name else { return }
        if settings.usesTypeLabels {
            let type = labels["__type__"] ?? ""
            if type != "counter", type != "histogram" {
                annotations.add(.possibleNonCounterType(name, type: type, at: place))
            }
        } else if name != checkedName {
            checkedName = name
            if !Self.counterSuffixes.contains(where: { name.hasSuffix($0) }) {
                annotations.add(.possibleNonCounter(name, at: place))
            }
        }
    }
}

/// The samples that windows slide over, and where the windows lie.
struct WindowInput {
    let block: SeriesBlock
    /// Series whose name is to be dropped later; empty: none.
    let dropsName: [Bool]
    let offset: Int64
    let at: Int64?
    let extent: SelectorExtent
    /// How far samples are taken from beyond the window.
    let before: Int64
    let after: Int64

    init(_ block: SeriesBlock, _ selector: ResolvedSelector, _ lookback: Int64) {
        self.block = block
        dropsName = []
        offset = selector.offset
        at = selector.at
        extent = selector.extent
        (before, after) = selector.reach(lookback)
    }

    func dropsName(_ row: Int, _ function: WindowFunction, _ isDelayed: Bool) -> Bool {
        isDelayed && (!function.keepsName || (!dropsName.isEmpty && dropsName[row]))
    }

    /// The result of a subquery's expression as samples.
    init(_ table: SeriesTable, _ grid: StepGrid, offset: Int64, at: Int64?) {
        var block = SeriesBlock()
        block.labels = table.labels
        for row in 0..<table.count {
            for step in 0..<table.steps where table[row, step].isPresent {
                block.timestamps.append(grid.time(step))
                block.values.append(table[row, step])
            }
            block.bounds.append(block.timestamps.count)
        }
        self.block = block
        dropsName = table.dropsName
        self.offset = offset
        self.at = at
        extent = .samples
        before = 0
        after = 0
    }
}

/// A window that moves over the samples of one series after another.
struct SlidingWindows {
    private let range: Int64
    private let grid: StepGrid
    private let offset: Int64
    private let at: Int64?
    private let extent: SelectorExtent
    private let before: Int64
    private let after: Int64
    /// The samples of the current window, and where the series ends.
    private var low = 0
    private var high = 0
    private var end = 0
    /// Where the counter fell, and the part of that inside of the window.
    private var resetPlaces: [Int] = []
    private var resetLow = 0
    private var resetHigh = 0
    private var scratch: [Double] = []
    private var extrapolation = Extrapolation()

    init(range: Int64, input: WindowInput, grid: StepGrid) {
        self.range = range
        self.grid = grid
        offset = input.offset
        at = input.at
        extent = input.extent
        before = input.before
        after = input.after
    }

    /// Goes to the series with those samples.
    /// - Parameter columns: the same samples, where the times at which counts began matter.
    mutating func begin(
        _ samples: Range<Int>, _ values: Span<Double>, _ function: WindowFunction?,
        _ columns: MixedSeries.Columns? = nil
    ) {
        low = samples.lowerBound
        high = low
        end = samples.upperBound
        resetPlaces.removeAll(keepingCapacity: true)
        resetLow = 0
        resetHigh = 0
        guard let function, function.countsResets, extent == .samples, end - low > 1 else { return }
        for index in (low + 1)..<end where values[index] < values[index - 1] { resetPlaces.append(index) }
        guard let columns, !columns.starts.isEmpty else { return }
        resetPlaces = ((low + 1)..<end).filter {
            values[$0] < values[$0 - 1] || columns.isStartReset(at: $0)
        }
    }

    /// The window at a step, which must not come before the step asked for last; nil where it holds no sample.
    @inline(__always)
    mutating func advance(to step: Int, _ times: Span<Int64>) -> SampleWindow? {
        let time = grid.time(step)
        let windowEnd = (at ?? time) &- offset
        let windowStart = windowEnd &- range
        while high < end, times[high] <= windowEnd &+ after { high += 1 }
        while low < high, times[low] <= windowStart &- before { low += 1 }
        if low == high { return nil }
        while resetHigh < resetPlaces.count, resetPlaces[resetHigh] < high { resetHigh += 1 }
        while resetLow < resetHigh, resetPlaces[resetLow] <= low { resetLow += 1 }
        return SampleWindow(start: windowStart, end: windowEnd, stepTime: time, samples: low..<high)
    }

    @inline(__always)
    mutating func evaluate(
        _ function: WindowFunction, _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>,
        _ first: Double, _ second: Double
    ) -> Double {
        if extent != .samples {
            return function.evaluateExtended(window, times, values, isSmoothed: extent == .smoothed)
        }
        return function.evaluate(
            window, times, values, resets: resetLow..<resetHigh, resetPlaces, first, second, scratch: &scratch,
            &extrapolation)
    }
}

extension WindowFunction {
    /// The result over a window whose samples reach beyond it (`anchored`, `smoothed`).
    func evaluateExtended(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, isSmoothed: Bool
    ) -> Double {
        switch self {
        case .rate, .increase, .delta:
            return Rate(isCounter: self != .delta, isPerSecond: self == .rate)
                .betweenBorders(window, times, values, isSmoothed: isSmoothed)
        default:
            // From the last sample at or before the start on.
            var first = window.samples.lowerBound
            let end = window.samples.upperBound
            while first < end, times[first] <= window.start { first += 1 }
            if first == end { return Absent.value }
            first = Swift.max(first - 1, window.samples.lowerBound)
            let samples = first..<end
            if self == .changes { return Self.changes(values, samples) }
            return Double(samples.dropFirst().count { values[$0] < values[$0 - 1] })
        }
    }
}
