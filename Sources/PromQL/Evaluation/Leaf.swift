import Streams

/// A part of a plan that looks at nothing but the samples of one selector: the selector itself, or a function over its
/// ranges. Its table is made while the samples are read, some series at a time and the parts of a large selection side by
/// side, so that neither all samples are in memory at once nor one core does all the work.
struct Leaf: Sendable {
    enum Shape: Sendable {
        case samples
        /// With its parameters, which are constant.
        case window(WindowPlan, [Double])
    }

    /// The selector's.
    let number: Int
    let shape: Shape
    let grid: StepGrid

    init(samplesOf number: Int, _ grid: StepGrid) {
        self.number = number
        shape = .samples
        self.grid = grid
    }

    /// Nil for a window that needs more than a selector.
    init?(_ plan: WindowPlan, _ grid: StepGrid) {
        guard case .selector(let number) = plan.source else { return nil }
        var parameters: [Double] = []
        for parameter in plan.parameters {
            guard let value = parameter.constant else { return nil }
            parameters.append(value)
        }
        self.number = number
        shape = .window(plan, parameters)
        self.grid = grid
    }

    var key: LeafKey {
        switch shape {
        case .samples: LeafKey(number: number, grid: grid)
        case .window(let plan, let parameters):
            LeafKey(
                number: number, grid: grid, function: plan.function, range: plan.range,
                parameters: parameters.map(\.bitPattern), place: plan.place)
        }
    }
}

/// Tells leaves with different tables, or different places for what they warn of, apart.
struct LeafKey: Hashable, Sendable {
    var number: Int
    var grid: StepGrid
    var function: WindowFunction?
    var range: Int64 = 0
    var parameters: [UInt64] = []
    var place: Place?
}

/// What came of a leaf.
enum LeafResult: Sendable {
    case table(SeriesTable)
    /// Its samples, as they are more than floats.
    case samples(SeriesBlock)
}

/// The table of some of a leaf's series, in the making.
struct LeafPart: Sendable {
    private let leaf: Leaf
    private var evaluation: Evaluation
    private(set) var table: SeriesTable
    private(set) var sampleCount = 0
    /// A series is more than floats: the table is of no use.
    private(set) var holdsMore = false

    /// - Parameter evaluation: one that has read nothing yet.
    init(_ leaf: Leaf, _ evaluation: Evaluation) {
        self.leaf = leaf
        self.evaluation = evaluation
        table = SeriesTable(steps: leaf.grid.count)
    }

    var annotations: AnnotationSet { evaluation.annotations }

    mutating func add(_ block: SeriesBlock) throws(EvaluationError) {
        guard block.histograms.isEmpty, block.starts.isEmpty else {
            holdsMore = true
            return
        }
        sampleCount += block.timestamps.count
        try evaluation.reserve(rows: table.count + block.count, steps: table.steps)
        let selector = evaluation.selectors[leaf.number]
        switch leaf.shape {
        case .samples: try evaluation.addSamples(of: block, selector, leaf.grid, .value, to: &table)
        case .window(let plan, let parameters):
            let input = WindowInput(block.withoutStaleMarkers(), selector, evaluation.lookback)
            let columns = parameters.map { [Double](repeating: $0, count: leaf.grid.count) }
            try evaluation.slide(plan, input, columns, leaf.grid, into: &table)
        }
    }
}

extension Evaluation {
    /// The times of the samples that a leaf needs; nil for none.
    func times(of leaf: Leaf) -> ClosedRange<Int64>? {
        selectors[leaf.number].times(for: leaf.grid, lookback: lookback)
    }

    /// Puts the parts of a leaf together.
    mutating func adopt(_ parts: [LeafPart], of leaf: Leaf) throws(EvaluationError) {
        var table = SeriesTable(steps: leaf.grid.count)
        try reserve(rows: parts.reduce(0) { $0 + $1.table.count }, steps: table.steps)
        for part in parts {
            try count(samples: part.sampleCount)
            for annotation in part.annotations.annotations { annotations.add(annotation) }
            table.append(part.table)
        }
        leaves[leaf.key] = .table(table)
    }

    /// Takes over a leaf's samples, as no table could be made of them yet.
    mutating func adopt(_ samples: SeriesBlock, of leaf: Leaf) throws(EvaluationError) {
        leaves[leaf.key] = .samples(try adopt(samples, of: leaf.number))
    }
}

extension Plan {
    /// The number that a scalar is at every step.
    fileprivate var constant: Double? {
        switch self {
        case .number(let value): value
        case .stepInvariant(let inner): inner.constant
        case .scalarNegation(let inner): inner.constant.map { -$0 }
        default: nil
        }
    }
}
