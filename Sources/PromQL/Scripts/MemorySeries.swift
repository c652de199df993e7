package import Streams

/// Series held in memory as a value: what tests and scripts evaluate over.
package struct MemorySeries: SeriesReader, Sendable {
    private struct Column: Sendable {
        var timestamps: [Int64] = []
        var values: [Double] = []
    }

    private var columns: [LabelSet: Column] = [:]
    private var order: [LabelSet] = []

    package init() {}

    /// Adds samples to a series, keeping time order; a sample at a time already present replaces the one there.
    package mutating func append(_ labels: LabelSet, _ samples: [(at: Timestamp, value: Double)]) {
        if columns[labels] == nil { order.append(labels) }
        var column = columns.removeValue(forKey: labels) ?? Column()
        for (time, value) in samples {
            let milliseconds = time.milliseconds
            if let last = column.timestamps.last, last >= milliseconds {
                let place = column.timestamps.firstIndex { $0 >= milliseconds } ?? column.timestamps.count
                if column.timestamps[place] == milliseconds {
                    column.values[place] = value
                } else {
                    column.timestamps.insert(milliseconds, at: place)
                    column.values.insert(value, at: place)
                }
            } else {
                column.timestamps.append(milliseconds)
                column.values.append(value)
            }
        }
        columns[labels] = column
    }

    package func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        var block = SeriesBlock()
        for (number, labels) in order.enumerated() where request.matchers.accept(labels) {
            let id = SeriesID(rawValue: UInt32(truncatingIfNeeded: number))
            if let only = request.only, !only.contains(id) { continue }
            guard let column = columns[labels] else { continue }
            let first = Self.firstIndex(column.timestamps) { $0 >= request.start.milliseconds }
            let last = Self.firstIndex(column.timestamps) { $0 > request.end.milliseconds }
            if first >= last { continue }
            block.append(
                id, labels, timestamps: Array(column.timestamps[first..<last]),
                values: Array(column.values[first..<last]))
            if block.timestamps.count > request.samplesMax { throw .tooManySamples(limit: request.samplesMax) }
        }
        return block
    }

    private static func firstIndex(_ times: [Int64], where holds: (Int64) -> Bool) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if holds(times[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
