/// When the counts of a shard's series began, of those series that tell it: the times at which the answer changed.
struct StartTable {
    private struct Run {
        /// From the sample at that time on.
        var from: Int64
        /// Milliseconds; 0 is not known.
        var start: Int64
    }

    /// Most series have one run, which needs no memory of its own.
    private struct Runs {
        var first: Run
        var later: [Run] = []

        var last: Run { later.last ?? first }
    }

    private var series: [UInt32: Runs] = [:]
    private var laterCount = 0

    /// Memory in use, about.
    var byteCount: Int {
        series.capacity * (MemoryLayout<Runs>.stride + MemoryLayout<UInt32>.stride + 4)
            + laterCount * MemoryLayout<Run>.stride * 2
    }

    /// Notes the start of the newest sample of a series.
    mutating func note(_ start: Int64, at time: Int64, of id: UInt32) {
        guard let last = series[id]?.last else {
            series[id] = Runs(first: Run(from: time, start: start))
            return
        }
        if last.start == start { return }
        series[id]?.later.append(Run(from: time, start: start))
        laterCount += 1
    }

    /// Drops what no sample at or behind `time` needs.
    /// - Returns: whether there is anything left to tell.
    mutating func drop(_ id: UInt32, before time: Int64) -> Bool {
        guard let runs = series[id] else { return false }
        let dead = runs.later.prefix { $0.from <= time }.count
        if dead > 0 {
            laterCount -= dead
            series[id]?.first = runs.later[dead - 1]
            series[id]?.later.removeFirst(dead)
            if dead == runs.later.count { series[id]?.later = [] }
        }
        guard let left = series[id], left.later.isEmpty, left.first.start == 0 else { return true }
        series[id] = nil
        return false
    }

    mutating func remove(_ id: UInt32) {
        if let runs = series.removeValue(forKey: id) { laterCount -= runs.later.count }
    }

    /// Appends the starts of samples with those times, which rise.
    func read(_ id: UInt32, _ times: ArraySlice<Int64>, into starts: inout [Int64]) {
        guard let runs = series[id] else {
            starts += repeatElement(0, count: times.count)
            return
        }
        var next = 0
        var start: Int64 = 0
        for time in times {
            if next == 0, time >= runs.first.from { start = runs.first.start }
            while next < runs.later.count, runs.later[next].from <= time {
                start = runs.later[next].start
                next += 1
            }
            starts.append(start)
        }
    }
}
