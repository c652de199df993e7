import Streams

/// The samples of one series, some of which are histograms: all of them, and each kind by itself.
struct MixedSeries {
    struct Columns {
        var times: [Int64] = []
        var values: [Double] = []
        /// When each count began (0: not known); empty where that is not to be looked at.
        var starts: [Int64] = []

        /// Whether it is told that the counter began anew between a sample and the one before.
        func isStartReset(at index: Int) -> Bool {
            !starts.isEmpty
                && StartTimestamps.isReset(
                    starts[index], at: times[index], after: starts[index - 1], at: times[index - 1])
        }

        /// Where the count of a window's first sample began, if that was inside of the window.
        func start(of window: SampleWindow) -> Int64? {
            guard let start = starts.isEmpty ? nil : starts[window.samples.lowerBound] else { return nil }
            return start != 0 && start > window.start && start < times[window.samples.lowerBound] ? start : nil
        }

        /// Whether a count is said to have begun before the sample before it.
        func hasOverlap(_ window: SampleWindow) -> Bool {
            !starts.isEmpty
                && window.samples.dropFirst().contains {
                    starts[$0] != 0 && starts[$0] < times[$0 - 1] && starts[$0] != starts[$0 - 1]
                }
        }
    }

    private(set) var all = Columns()
    private(set) var floats = Columns()
    private(set) var histograms = Columns()
    let labels: LabelSet

    init(_ block: SeriesBlock, _ row: Int, usesStarts: Bool) {
        labels = block.labels[row]
        let hasStarts = usesStarts && !block.starts.isEmpty
        for index in block.bounds[row]..<block.bounds[row + 1] {
            let (time, value) = (block.timestamps[index], block.values[index])
            let start = hasStarts ? block.starts[index] : nil
            all.append(time, value, start)
            if value.isHistogram { histograms.append(time, value, start) } else { floats.append(time, value, start) }
        }
    }

    var name: String { labels.name ?? "" }
}

extension MixedSeries.Columns {
    fileprivate mutating func append(_ time: Int64, _ value: Double, _ start: Int64?) {
        times.append(time)
        values.append(value)
        if let start { starts.append(start) }
    }
}

/// What the times at which counts began tell.
enum StartTimestamps {
    /// Whether a sample's count began anew after the sample before it. A count that began at the sample before is one of
    /// deltas, unless that sample does not know its own beginning.
    static func isReset(_ start: Int64, at time: Int64, after previousStart: Int64, at previousTime: Int64) -> Bool {
        if start == 0 || start >= time || start < previousTime { return false }
        if start > previousTime { return true }
        return previousStart != 0 && previousStart < previousTime
    }
}

extension WindowFunction {
    /// Looks at the times at which counts began.
    var usesStarts: Bool { self == .rate || self == .increase || self == .irate || self == .resets }
}
