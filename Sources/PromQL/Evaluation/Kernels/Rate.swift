/// The change of a value over a window: `rate`, `increase` and `delta`.
struct Rate {
    var isCounter: Bool
    var isPerSecond: Bool

    /// The change between the first and the last sample, extrapolated to the borders of the window where the samples
    /// come so close to them that the series probably went on, else by half a sample's distance.
    func extrapolated(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, _ resets: Range<Int>,
        _ resetPlaces: [Int], _ extrapolation: inout Extrapolation
    ) -> Double {
        let first = window.samples.lowerBound
        let last = window.samples.upperBound - 1
        if last == first { return Absent.value }
        var change = values[last] - values[first]
        if isCounter {
            for place in resets { change += values[resetPlaces[place] - 1] }
        }
        return change
            * extrapolation.factor(
                self, window, first: times[first], last: times[last], intervals: last - first, value: values[first],
                change: change)
    }

    /// `irate` and `idelta`: from the last two samples.
    static func instant(
        _ samples: Range<Int>, _ times: Span<Int64>, _ values: Span<Double>, isCounter: Bool
    ) -> Double {
        if samples.count < 2 { return Absent.value }
        let last = samples.upperBound - 1
        let wasReset = isCounter && values[last] < values[last - 1]
        return instant(samples, times, values, isCounter: isCounter, wasReset: wasReset)
    }

    /// The same where it is known whether the counter was reset between the two.
    static func instant(
        _ samples: Range<Int>, _ times: Span<Int64>, _ values: Span<Double>, isCounter: Bool, wasReset: Bool
    ) -> Double {
        let last = samples.upperBound - 1
        let interval = times[last] - times[last - 1]
        if interval == 0 { return Absent.value }
        let change = wasReset ? values[last] : values[last] - values[last - 1]
        return isCounter ? change / (Double(interval) / 1000) : change
    }

    /// The change between the borders of the window, whose values are taken from the sample before (`anchored`) or
    /// interpolated between the samples around them (`smoothed`). The samples reach beyond the window.
    func betweenBorders(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, isSmoothed: Bool
    ) -> Double {
        let borders = WindowBorders(window, times, isSmoothed: isSmoothed)
        guard let borders else { return Absent.value }
        var (first, last) = (borders.first, borders.last)
        let left = borders.left(window, times, values, isCounter: isCounter)
        let right = borders.right(window, times, values, isCounter: isCounter)
        var change = right - left
        if isCounter {
            if times[first] <= window.start { first += 1 }
            if times[last] >= window.end { last -= 1 }
            var previous = left
            var index = first
            while index <= last {
                if values[index] < previous { change += previous }
                previous = values[index]
                index += 1
            }
            if right < previous { change += previous }
        }
        return isPerSecond ? change / window.seconds : change
    }
}

/// Which samples give the values at the borders of an `anchored` or `smoothed` window.
struct WindowBorders {
    let first: Int
    let last: Int
    private let isSmoothed: Bool

    /// Nil where no sample tells about the window.
    init?(_ window: SampleWindow, _ times: Span<Int64>, isSmoothed: Bool) {
        let end = window.samples.upperBound - 1
        // The last sample at or before the start, else the first.
        var first = window.samples.lowerBound
        while first < end, times[first] <= window.start { first += 1 }
        if first > window.samples.lowerBound { first -= 1 }
        var last = end
        if isSmoothed {
            last = window.samples.lowerBound
            while last < end, times[last] < window.end { last += 1 }
        }
        if times[last] <= window.start { return nil }
        if isSmoothed, times[first] > window.end { return nil }
        self.first = first
        self.last = last
        self.isSmoothed = isSmoothed
    }

    func left(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, isCounter: Bool
    ) -> Double {
        guard isSmoothed, times[first] < window.start, first + 1 < window.samples.upperBound else {
            return values[first]
        }
        return Self.interpolated(first, at: window.start, times, values, isCounter: isCounter)
    }

    func right(
        _ window: SampleWindow, _ times: Span<Int64>, _ values: Span<Double>, isCounter: Bool
    ) -> Double {
        guard isSmoothed, last > window.samples.lowerBound, times[last] > window.end else { return values[last] }
        return Self.interpolated(last - 1, at: window.end, times, values, isCounter: isCounter)
    }

    /// The value at `time` on the line from sample `index` to the next; a counter that fell began at zero again.
    static func interpolated(
        _ index: Int, at time: Int64, _ times: Span<Int64>, _ values: Span<Double>, isCounter: Bool
    ) -> Double {
        var before = values[index]
        let after = values[index + 1]
        if isCounter, after < before { before = 0 }
        return before + (after - before) * Double(time - times[index]) / Double(times[index + 1] - times[index])
    }
}
