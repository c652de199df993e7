import Streams

/// One evaluation of a plan over samples that are all there: walks the plan, a column of steps at a time.
struct Evaluation {
    let query: QueryTimes
    let settings: EvaluationSettings
    let patience: Patience
    /// Milliseconds.
    let lookback: Int64
    let selectors: [ResolvedSelector]
    /// The samples of each selector.
    var blocks: [SeriesBlock] = []
    /// What was made of selectors while they were read; their samples are not among the blocks.
    var leaves: [LeafKey: LeafResult] = [:]
    var pool: HistogramPool
    var annotations = AnnotationSet()
    /// How many rows were worked on since the last look at cancellation and deadline.
    private var rowsSinceCheck = 0
    private var samplesRead = 0
    /// How long all label values are that were made.
    private var textBytes = 0

    init(_ program: Program, _ query: QueryTimes, _ settings: EvaluationSettings) {
        self.query = query
        self.settings = settings
        patience = Patience(isPastDeadline: settings.isPastDeadline)
        lookback = min(max(settings.lookback.wholeMilliseconds, 1), 1 << 50)
        pool = HistogramPool(weightMax: settings.samplesMax)
        selectors = program.selectors.map { ResolvedSelector($0, query) }
    }

    var delaysNameRemoval: Bool { settings.delaysNameRemoval }

    /// A scalar at every step.
    mutating func scalars(_ plan: Plan, _ grid: StepGrid) throws(EvaluationError) -> [Double] {
        switch plan {
        case .number(let value): return Array(repeating: value, count: grid.count)
        case .time: return (0..<grid.count).map { Double(grid.time($0)) / 1000 }
        case .queryFact(let fact): return Array(repeating: query.value(of: fact), count: grid.count)
        case .stepInvariant(let inner):
            let value = try scalars(inner, grid.first)
            return Array(repeating: value.first ?? .nan, count: grid.count)
        case .scalar(let inner): return Self.onlyValues(floats(try vector(inner, grid)))
        case .scalarOperation(let operation, let left, let right):
            switch operation {
            case .binary(let op): return try combine(left, right, grid) { op.ofScalars($0, $1) }
            case .larger: return try combine(left, right, grid, goMaximum)
            case .smaller: return try combine(left, right, grid, goMinimum)
            }
        case .scalarNegation(let inner): return try scalars(inner, grid).map { -$0 }
        default: throw .execution("expected a scalar")
        }
    }

    private mutating func combine(
        _ left: Plan, _ right: Plan, _ grid: StepGrid, _ operation: (Double, Double) -> Double
    ) throws(EvaluationError) -> [Double] {
        var result = try scalars(left, grid)
        let other = try scalars(right, grid)
        for step in result.indices { result[step] = operation(result[step], other[step]) }
        return result
    }

    /// `scalar()`: the value of the only element, else NaN.
    private static func onlyValues(_ table: SeriesTable) -> [Double] {
        (0..<table.steps).map { step in
            var found: Double?
            for row in 0..<table.count {
                let value = table[row, step]
                if value.isAbsent { continue }
                if found != nil { return .nan }
                found = value
            }
            return found ?? .nan
        }
    }

    /// An instant vector at every step.
    mutating func vector(_ plan: Plan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        try checkpoint(rows: 32)
        switch plan {
        case .selector(let number, let aspect): return try selected(number, grid, aspect)
        case .smoothedSelector(let number, let place): return try smoothedSamples(of: number, grid, place)
        case .evaluationTimes(let inner):
            var table = try vector(inner, grid)
            try table.transform(patience) { _, step, _ in Double(grid.time(step)) / 1000 }
            return try named(table)
        case .window(let plan): return try windows(plan, grid)
        case .elements(let function, let inner):
            var table = floats(try vector(inner, grid))
            try table.transform(patience) { _, _, value in function(value) }
            return try named(table)
        case .calendar(let function):
            let times = try scalars(.time, grid)
            return SeriesTable(LabelSet(), times.map { function($0.rounded(.down)) })
        case .bounded(let function, let inner, let first, let second):
            return try bounded(function, inner, first, second, grid)
        case .negation(let inner): return try negated(try vector(inner, grid))
        case .vector(let inner): return SeriesTable(LabelSet(), try scalars(inner, grid))
        case .absent(let inner, let labels): return try absent(try vector(inner, grid), labels)
        case .sort(let plan): return try sorted(plan, grid)
        case .labelReplace(let plan): return try labelReplaced(plan, grid)
        case .labelJoin(let plan): return try labelJoined(plan, grid)
        case .histogram(let plan): return try histograms(plan, grid)
        case .histogramFact(let fact, let inner): return try histogramFacts(fact, try vector(inner, grid))
        case .nothing(let inner):
            _ = try vector(inner, grid)
            return SeriesTable(steps: grid.count)
        case .info(let plan): return try enriched(plan, grid)
        case .aggregation(let plan): return try aggregated(plan, grid)
        case .countValues(let plan): return try valuesCounted(plan, grid)
        case .vectorAndScalar(let plan): return try combined(plan, grid)
        case .vectors(let plan):
            return plan.op.isSetOperator ? try setCombined(plan, grid) : try matched(plan, grid)
        case .stepInvariant(let inner):
            if grid.count <= 1 { return try vector(inner, grid) }
            let once = try vector(inner, grid.first)
            try reserve(rows: once.count, steps: grid.count)
            return once.repeated(steps: grid.count)
        default: throw .execution("expected an instant vector")
        }
    }

    private mutating func bounded(
        _ function: BoundedFunction, _ inner: Plan, _ first: Plan, _ second: Plan, _ grid: StepGrid
    ) throws(EvaluationError) -> SeriesTable {
        var table = floats(try vector(inner, grid))
        let first = try scalars(first, grid)
        let second = try scalars(second, grid)
        try table.transform(patience) { _, step, value in function(value, first[step], second[step]) ?? Absent.value }
        return try named(table)
    }

    func absent(_ table: SeriesTable, _ labels: LabelSet) throws(EvaluationError) -> SeriesTable {
        var result = SeriesTable(steps: table.steps)
        result.appendRow(labels)
        for step in 0..<table.steps where !(0..<table.count).contains(where: { table[$0, step].isPresent }) {
            result[0, step] = 1
        }
        result.dropLastRowIfEmpty()
        return result
    }

    /// The table of another quantity than the metrics': names are dropped, now or at the end.
    func named(_ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        var table = table
        if delaysNameRemoval {
            for row in 0..<table.count { table.markNameDropped(row) }
            return table
        }
        let staysDistinct = table.canLoseNames
        for row in 0..<table.count { table.relabel(row, table.labels[row].droppingName(), dropsName: false) }
        return staysDistinct ? table : try merged(table)
    }

    /// Rows with equal labels joined.
    func merged(_ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        guard let merged = try table.mergingEqualLabels(patience) else { throw .equalLabels }
        return merged
    }

    /// Looks now and then whether anyone still waits for the result.
    mutating func checkpoint(rows: Int = 1) throws(EvaluationError) {
        rowsSinceCheck += rows
        try checkRoom()
        guard rowsSinceCheck >= 1024 else { return }
        rowsSinceCheck = 0
        try patience.check()
    }

    /// Fails when a histogram was left out, as there were too many.
    func checkRoom() throws(EvaluationError) { if pool.isFull { throw .tooManySamples } }

    /// Refuses tables beyond the limit before their memory is taken.
    func reserve(rows: Int, steps: Int) throws(EvaluationError) {
        let (cells, overflow) = rows.multipliedReportingOverflow(by: steps)
        if overflow || cells > settings.samplesMax { throw .tooManySamples }
    }

    /// Refuses label values that take, with those made so far, more memory than half of the samples that a query may hold:
    /// `label_join` and `label_replace` inside of each other multiply a value's length each time.
    mutating func reserve(textBytes more: Int) throws(EvaluationError) {
        textBytes += more
        if textBytes / 8 > settings.samplesMax { throw .tooManySamples }
    }

    /// Takes over what was read.
    mutating func begin(_ read: [SeriesBlock]) throws(EvaluationError) {
        var adopted: [SeriesBlock] = []
        for (number, block) in read.enumerated() { adopted.append(try adopt(block, of: number)) }
        blocks = adopted
    }

    /// Takes over the samples of a selector.
    mutating func adopt(
        _ read: consuming SeriesBlock, of number: Int
    ) throws(EvaluationError) -> SeriesBlock {
        var block = read
        try count(samples: block.timestamps.count)
        if selectors[number].skipsBuckets { block.dropBuckets() }
        pool.adopt(&block)
        try checkRoom()
        return block
    }

    /// Counts samples that were read.
    mutating func count(samples: Int) throws(EvaluationError) {
        samplesRead += samples
        if samplesRead > settings.samplesMax { throw .tooManySamples }
    }
}
