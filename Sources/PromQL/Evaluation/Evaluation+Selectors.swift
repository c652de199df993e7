import Streams

extension Evaluation {
    /// An instant selector, or what is told of its samples besides their values.
    mutating func selected(
        _ number: Int, _ grid: StepGrid, _ aspect: SampleAspect
    ) throws(EvaluationError) -> SeriesTable {
        switch aspect {
        case .value: return try samples(of: number, grid, .value)
        case .time: return try named(try samples(of: number, grid, .time))
        case .start:
            guard settings.usesStartTimestamps else { return SeriesTable(steps: grid.count) }
            return try named(try samples(of: number, grid, .start))
        }
    }

    /// An instant selector at every step: the newest sample of each series that is neither older than the lookback nor
    /// a stale marker.
    mutating func samples(
        of number: Int, _ grid: StepGrid, _ aspect: SampleAspect
    ) throws(EvaluationError) -> SeriesTable {
        var block = blocks[number]
        if aspect == .value, let made = leaves[Leaf(samplesOf: number, grid).key] {
            switch made {
            case .table(let table): return table
            case .samples(let samples): block = samples
            }
        }
        try reserve(rows: block.count, steps: grid.count)
        var table = SeriesTable(steps: grid.count)
        table.reserveCapacity(block.count)
        try addSamples(of: block, selectors[number], grid, aspect, to: &table)
        return table
    }

    /// Adds a row for each series of the block that has a sample at any step.
    mutating func addSamples(
        of block: SeriesBlock, _ selector: ResolvedSelector, _ grid: StepGrid, _ aspect: SampleAspect,
        to table: inout SeriesTable
    ) throws(EvaluationError) {
        let times = block.timestamps.span
        let values = block.values.span
        var column = [Double](repeating: Absent.value, count: grid.count)
        for row in 0..<block.count {
            try checkpoint(rows: 1 + grid.count / 64)
            let start = block.bounds[row]
            let end = block.bounds[row + 1]
            // The first sample after the step's reference time.
            var next = start
            var isEmpty = true
            for step in 0..<grid.count {
                let reference = selector.reference(grid.time(step))
                next = Self.firstIndex(after: reference, times, from: next, to: end)
                let isSeen =
                    next > start && times[next - 1] > reference &- lookback && !values[next - 1].isStaleMarker
                column[step] = Absent.value
                if !isSeen { continue }
                isEmpty = false
                switch aspect {
                case .value: column[step] = values[next - 1]
                case .time: column[step] = Double(times[next - 1]) / 1000
                case .start: column[step] = block.starts.isEmpty ? 0 : Double(block.starts[next - 1]) / 1000
                }
            }
            if !isEmpty { table.appendRow(block.labels[row], dropsName: false, column) }
        }
    }

    /// The first index of `from..<to` whose time is after `reference`; mostly a few steps away, so it walks before it
    /// halves.
    @inline(__always)
    private static func firstIndex(
        after reference: Int64, _ times: Span<Int64>, from: Int, to: Int
    ) -> Int {
        var low = from
        let near = min(from + 8, to)
        while low < near {
            if times[low] > reference { return low }
            low += 1
        }
        var high = to
        while low < high {
            let middle = low + (high - low) / 2
            if times[middle] > reference { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// `smoothed` at an instant: the value on the line between the samples around it; the last one where none follows.
    mutating func smoothedSamples(
        of number: Int, _ grid: StepGrid, _ place: Place
    ) throws(EvaluationError) -> SeriesTable {
        let selector = selectors[number]
        let block = blocks[number].withoutStaleMarkers()
        try reserve(rows: block.count, steps: grid.count)
        var table = SeriesTable(steps: grid.count)
        for row in 0..<block.count {
            try checkpoint()
            table.appendRow(block.labels[row])
            let bounds = block.bounds[row]..<block.bounds[row + 1]
            let mayHoldHistograms = !pool.isEmpty && block.values[bounds].contains(where: \.isHistogram)
            var next = bounds.lowerBound
            for step in 0..<grid.count {
                let reference = selector.reference(grid.time(step))
                while next < bounds.upperBound, block.timestamps[next] < reference { next += 1 }
                let value =
                    mayHoldHistograms
                    ? smoothedHistogram(block, row, at: reference, place)
                    : smoothedFloat(block, bounds, next, at: reference)
                if let value { table[table.count - 1, step] = value }
            }
            table.dropLastRowIfEmpty()
        }
        return table
    }

    /// - Parameter next: the first sample at `reference` or after it.
    func smoothedFloat(
        _ block: SeriesBlock, _ bounds: Range<Int>, _ next: Int, at reference: Int64
    ) -> Double? {
        let follows = next < bounds.upperBound && block.timestamps[next] <= reference &+ lookback
        if follows, block.timestamps[next] == reference { return block.values[next] }
        guard next > bounds.lowerBound, block.timestamps[next - 1] > reference &- lookback else { return nil }
        if !follows { return block.values[next - 1] }
        return WindowBorders.interpolated(
            next - 1, at: reference, block.timestamps.span, block.values.span, isCounter: false)
    }
}

extension SeriesBlock {
    /// The samples alone, as range selectors see them.
    func withoutStaleMarkers() -> SeriesBlock {
        guard values.contains(where: \.isStaleMarker) else { return self }
        var result = SeriesBlock()
        result.ids = ids
        result.labels = labels
        result.timestamps.reserveCapacity(timestamps.count)
        result.values.reserveCapacity(values.count)
        for row in 0..<count {
            for index in bounds[row]..<bounds[row + 1] where !values[index].isStaleMarker {
                result.timestamps.append(timestamps[index])
                result.values.append(values[index])
                if !starts.isEmpty { result.starts.append(starts[index]) }
            }
            result.bounds.append(result.timestamps.count)
        }
        return result
    }
}
