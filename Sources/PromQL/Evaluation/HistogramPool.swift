import Streams

/// The histograms of one evaluation. Cells of blocks and tables point into it, so that moving rows about moves floats only;
/// an evaluation without histograms has an empty pool, and looks at no cell.
struct HistogramPool: Sendable {
    private(set) var histograms: [NativeHistogram] = []
    /// What all of them weigh, in samples.
    private(set) var weight = 0
    private let weightMax: Int

    init(weightMax: Int) { self.weightMax = weightMax }

    var isEmpty: Bool { histograms.isEmpty }
    /// Takes no more: the evaluation fails at its next checkpoint, or at its end.
    var isFull: Bool { weight > weightMax }
    /// About how many float samples' work one of them is.
    var meanWeight: Int { isEmpty ? 1 : weight / histograms.count }

    /// The histogram of a cell.
    subscript(cell: Double) -> NativeHistogram { histograms[cell.histogramPlace] }

    /// The cell of one more histogram; none when there is no room for it.
    mutating func cell(of histogram: NativeHistogram) -> Double {
        if isFull { return Absent.value }
        weight += histogram.weight
        histograms.append(histogram)
        return .histogram(at: histograms.count - 1)
    }

    /// Takes the histograms of a block over.
    mutating func adopt(_ block: inout SeriesBlock) {
        if block.histograms.isEmpty { return }
        let base = histograms.count
        for index in block.values.indices where block.values[index].isHistogram {
            block.values[index] = .histogram(at: block.values[index].histogramPlace + base)
        }
        for histogram in block.histograms { weight += histogram.weight }
        histograms += block.histograms
        block.histograms = []
    }
}

extension SeriesBlock {
    /// Leaves counts and sums of the histograms only. Hints then tell of every reset, since nobody can find one without
    /// buckets.
    mutating func dropBuckets() {
        var places: [Int] = []
        for row in 0..<count {
            var last: NativeHistogram?
            for index in bounds[row]..<bounds[row + 1] where values[index].isHistogram {
                var histogram = histograms[values[index].histogramPlace]
                if let last, histogram.counterResetHint == .unknown {
                    histogram.counterResetHint = histogram.isReset(after: last) ? .reset : .notReset
                }
                last = histogram
                histograms[values[index].histogramPlace].counterResetHint = histogram.counterResetHint
                places.append(values[index].histogramPlace)
            }
        }
        for place in places {
            let full = histograms[place]
            histograms[place] = NativeHistogram(
                schema: full.schema, counterResetHint: full.counterResetHint, count: full.count, sum: full.sum)
        }
    }
}

extension NativeHistogram {
    /// How many float samples take as much memory.
    var weight: Int { 8 + (positive.counts.count + negative.counts.count + customBounds.count) / 2 }
}

extension Evaluation {
    /// Whether a cell of the table is a histogram.
    func holdsHistograms(_ table: SeriesTable) -> Bool {
        !pool.isEmpty && table.cells.contains(where: \.isHistogram)
    }

    /// The table without histograms: most functions only see floats.
    func floats(_ table: SeriesTable) -> SeriesTable {
        guard holdsHistograms(table) else { return table }
        var table = table
        table.transform { _, _, value in value.isHistogram ? Absent.value : value }
        return table
    }

    /// The table without histograms, which `operation` ignores, as is told.
    mutating func floats(_ table: SeriesTable, for operation: String, at place: Place) -> SeriesTable {
        guard holdsHistograms(table) else { return table }
        annotations.add(.ignoredHistogram(in: operation, at: place))
        return floats(table)
    }

    /// A table of a float for each histogram; floats are left out.
    mutating func histogramFacts(_ fact: HistogramFact, _ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        guard holdsHistograms(table) else { return SeriesTable(steps: table.steps) }
        var facts = SeriesTable(steps: table.steps)
        for row in 0..<table.count {
            facts.appendRow(table.labels[row], dropsName: table.dropsName[row])
            for step in 0..<table.steps where table[row, step].isHistogram {
                let histogram = pool[table[row, step]]
                try checkpoint(rows: fact.ignoresBuckets ? 1 : histogram.weight)
                facts[facts.count - 1, step] = fact(histogram)
            }
            facts.dropLastRowIfEmpty()
        }
        return try named(facts)
    }

    mutating func negated(_ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        var table = table
        if holdsHistograms(table) {
            try table.transform(patience) { _, _, value in
                if pool.isFull { return Absent.value }
                return value.isHistogram ? pool.cell(of: pool[value].multiplied(by: -1)) : -value
            }
        } else {
            table.transform { _, _, value in -value }
        }
        return try named(table)
    }
}

/// Functions that tell one float of a histogram.
enum HistogramFact: String, Sendable {
    case average = "histogram_avg"
    case count = "histogram_count"
    case sum = "histogram_sum"
    case standardDeviation = "histogram_stddev"
    case variance = "histogram_stdvar"

    /// Count and sum are all it looks at.
    var ignoresBuckets: Bool { self == .average || self == .count || self == .sum }

    func callAsFunction(_ histogram: NativeHistogram) -> Double {
        switch self {
        case .average: histogram.sum / histogram.count
        case .count: histogram.count
        case .sum: histogram.sum
        case .standardDeviation: histogram.variance.squareRoot()
        case .variance: histogram.variance
        }
    }
}
