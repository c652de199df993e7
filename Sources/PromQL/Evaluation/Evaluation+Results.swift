import Streams

extension Evaluation {
    mutating func instantResult(_ program: Program) throws(EvaluationError) -> QueryResult {
        let grid = query.grid
        let time = Timestamp(milliseconds: query.start)
        let value: QueryValue
        switch program.type {
        case .string:
            guard case .string(let text) = program.plan else { throw .execution("expected a string") }
            value = .string(text, at: time)
        case .scalar: value = .scalar(try scalars(program.plan, grid)[0], at: time)
        case .vector:
            let table = try cleaned(try vector(program.plan, grid))
            var samples: [VectorSample] = []
            samples.reserveCapacity(table.count)
            for row in 0..<table.count {
                samples.append(sample(table.labels[row], table[row, 0], time))
            }
            value = .vector(samples)
        case .matrix:
            // On its own line: as an argument it would add histograms after `ordered` has taken the pool as it was.
            let series = try rangeVector(program.plan, grid)
            value = .matrix(try ordered(series))
        }
        try checkRoom()
        return QueryResult(value: value, annotations: annotations.annotations)
    }

    mutating func rangeResult(_ program: Program) throws(EvaluationError) -> QueryResult {
        let grid = query.grid
        let table: SeriesTable
        if program.type == .scalar {
            table = SeriesTable(LabelSet(), try scalars(program.plan, grid))
        } else {
            table = try cleaned(try vector(program.plan, grid))
        }
        try checkRoom()
        return QueryResult(
            value: .matrix(try ordered(series(table, grid))), annotations: annotations.annotations)
    }

    private func sample(_ labels: LabelSet, _ cell: Double, _ time: Timestamp) -> VectorSample {
        cell.isHistogram
            ? VectorSample(labels: labels, histogram: pool[cell], timestamp: time)
            : VectorSample(labels: labels, value: cell, timestamp: time)
    }

    /// Gives the histograms that its cells point into to a series.
    private func withHistograms(_ series: SeriesSamples) -> SeriesSamples {
        if pool.isEmpty { return series }
        var result = series
        for index in result.values.indices where result.values[index].isHistogram {
            result.histograms.append(pool[result.values[index]])
            result.values[index] = .histogram(at: result.histograms.count - 1)
        }
        return result
    }

    /// Names that were to be dropped at the end are dropped.
    private func cleaned(_ table: SeriesTable) throws(EvaluationError) -> SeriesTable {
        guard delaysNameRemoval else { return table }
        var table = table
        for row in 0..<table.count where table.dropsName[row] {
            table.relabel(row, table.labels[row].droppingName(), dropsName: false)
        }
        return try merged(table)
    }

    private func ordered(_ series: [SeriesSamples]) throws(EvaluationError) -> [SeriesSamples] {
        try patience.sorted(series) { $0.labels.precedes($1.labels) }.map(withHistograms)
    }

    private func series(_ table: SeriesTable, _ grid: StepGrid) -> [SeriesSamples] {
        let times = (0..<grid.count).map(grid.time)
        return (0..<table.count).map { row in
            if table.presentCount(row) == times.count {
                // No gaps: the series share one column of times.
                return SeriesSamples(labels: table.labels[row], timestamps: times, values: Array(table.row(row)))
            }
            var samples = SeriesSamples(labels: table.labels[row], timestamps: [], values: [])
            for step in 0..<table.steps where table[row, step].isPresent {
                samples.timestamps.append(grid.time(step))
                samples.values.append(table[row, step])
            }
            return samples
        }
    }

    /// A range vector as the whole expression: the samples themselves.
    private mutating func rangeVector(_ plan: Plan, _ grid: StepGrid) throws(EvaluationError) -> [SeriesSamples] {
        switch plan {
        case .samples(let number): return try rawSamples(of: number, at: grid.start)
        case .subquery(let plan):
            let inner = innerGrid(plan, grid)
            return series(try cleaned(try subqueryTable(plan, inner)), inner)
        default: throw .execution("expected a range vector")
        }
    }

    private func rawSamples(of number: Int, at time: Int64) throws(EvaluationError) -> [SeriesSamples] {
        let selector = selectors[number]
        let range = selector.range ?? 0
        let end = selector.reference(time)
        let block = blocks[number].withoutStaleMarkers()
        let (before, after) = selector.reach(lookback)
        var result: [SeriesSamples] = []
        for row in 0..<block.count {
            let bounds = block.bounds[row]..<block.bounds[row + 1]
            let inside = bounds.filter {
                block.timestamps[$0] > end - range - before && block.timestamps[$0] <= end + after
            }
            guard let first = inside.first, let last = inside.last else { continue }
            var samples = SeriesSamples(
                labels: block.labels[row], timestamps: Array(block.timestamps[first...last]),
                values: Array(block.values[first...last]))
            if selector.extent != .samples {
                if samples.values.contains(where: \.isHistogram) {
                    let modifier = selector.extent == .anchored ? "anchored" : "smoothed"
                    throw .execution("\(modifier) modifier is not supported with histograms")
                }
                samples = samples.bordered(
                    from: end - range, through: end, isSmoothed: selector.extent == .smoothed)
            }
            if !samples.timestamps.isEmpty { result.append(samples) }
        }
        return result
    }
}

extension SeriesSamples {
    /// The samples inside of the window, with one at each of its borders.
    fileprivate func bordered(from start: Int64, through end: Int64, isSmoothed: Bool) -> SeriesSamples {
        var result = SeriesSamples(labels: labels, timestamps: [], values: [])
        let window = SampleWindow(start: start, end: end, stepTime: end, samples: timestamps.indices)
        guard let borders = WindowBorders(window, timestamps.span, isSmoothed: isSmoothed) else { return result }
        result.timestamps.append(start)
        result.values.append(borders.left(window, timestamps.span, values.span, isCounter: false))
        for index in timestamps.indices where timestamps[index] > start && timestamps[index] < end {
            result.timestamps.append(timestamps[index])
            result.values.append(values[index])
        }
        result.timestamps.append(end)
        result.values.append(borders.right(window, timestamps.span, values.span, isCounter: false))
        return result
    }
}
