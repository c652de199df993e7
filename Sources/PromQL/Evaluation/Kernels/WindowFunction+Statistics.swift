extension WindowFunction {
    static func sum(_ values: Span<Double>, _ samples: Range<Int>) -> Double {
        var sum = CompensatedSum()
        for index in samples { sum.add(values[index]) }
        return sum.sum.isInfinite ? sum.sum : sum.value
    }

    static func mean(_ values: Span<Double>, _ samples: Range<Int>) -> Double {
        var mean = CompensatedMean(first: values[samples.lowerBound])
        for index in samples.dropFirst() { mean.add(values[index]) }
        return mean.value
    }

    /// Welford's running variance, compensated.
    static func variance(_ values: Span<Double>, _ samples: Range<Int>) -> Double {
        var count = 0.0
        var mean = CompensatedSum()
        var squares = CompensatedSum()
        for index in samples {
            count += 1
            let value = values[index]
            let difference = value - mean.value
            mean.add(difference / count)
            squares.add(difference * (value - mean.value))
        }
        return squares.value / count
    }

    /// Where the extreme value stands: of equal ones the first, or the newest where `newestWins`. NaN only where there
    /// is nothing else.
    @inline(__always)
    static func place(
        _ values: Span<Double>, _ samples: Range<Int>, newestWins: Bool, isBetter: (Double, Double) -> Bool
    ) -> Int {
        var best = samples.lowerBound
        for index in samples {
            let value = values[index]
            let current = values[best]
            if isBetter(value, current) || current.isNaN || (newestWins && value == current) { best = index }
        }
        return best
    }

    static func changes(_ values: Span<Double>, _ samples: Range<Int>) -> Double {
        var changes = 0
        for index in samples.dropFirst() {
            let value = values[index]
            let previous = values[index - 1]
            if value != previous, !(value.isNaN && previous.isNaN) { changes += 1 }
        }
        return Double(changes)
    }

    /// Holt's linear method; the parameters lie between 0 and 1.
    static func smoothed(
        _ values: Span<Double>, _ samples: Range<Int>, smoothing: Double, trend: Double
    ) -> Double {
        if samples.count < 2 { return Absent.value }
        let first = samples.lowerBound
        var previous = 0.0
        var level = values[first]
        var slope = values[first + 1] - values[first]
        for index in samples.dropFirst() {
            if index > first + 1 { slope = trend * (level - previous) + (1 - trend) * slope }
            let next = smoothing * values[index] + (1 - smoothing) * (level + slope)
            previous = level
            level = next
        }
        return level
    }

    /// The median distance from the median; NaN where one of the values is.
    static func medianDeviation(_ values: inout [Double]) -> Double {
        if values.contains(where: \.isNaN) { return .nan }
        let median = Quantile.of(&values, 0.5)
        for index in values.indices { values[index] = abs(values[index] - median) }
        return Quantile.of(&values, 0.5)
    }

    static func copy(_ values: Span<Double>, _ samples: Range<Int>, to scratch: inout [Double]) {
        scratch.removeAll(keepingCapacity: true)
        for index in samples { scratch.append(values[index]) }
    }
}

/// The straight line closest to the samples of a window, by least squares; x in seconds after `origin`.
struct LinearRegression {
    let slope: Double
    let intercept: Double

    init(_ samples: Range<Int>, _ times: Span<Int64>, _ values: Span<Double>, origin: Int64) {
        let first = values[samples.lowerBound]
        var isConstant = true
        var sumX = CompensatedSum()
        var sumY = CompensatedSum()
        var sumXY = CompensatedSum()
        var sumXX = CompensatedSum()
        for index in samples {
            let y = values[index]
            if y != first, index > samples.lowerBound { isConstant = false }
            let x = Double(times[index] - origin) / 1000
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumXX.add(x * x)
        }
        if isConstant {
            slope = first.isInfinite ? .nan : 0
            intercept = first.isInfinite ? .nan : first
            return
        }
        let count = Double(samples.count)
        let covariance = sumXY.value - sumX.value * sumY.value / count
        let variance = sumXX.value - sumX.value * sumX.value / count
        slope = covariance / variance
        intercept = sumY.value / count - slope * sumX.value / count
    }
}
