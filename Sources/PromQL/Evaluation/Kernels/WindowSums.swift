/// Sums of four windows side by side: in one window each addition waits for the one before it.
///
/// The result is that of `CompensatedSum` to the last bit: both add up what each addition loses to rounding, which is known
/// exactly as long as nothing overflows; where something did, it is not finite, and the window is walked again by itself.
struct FourSums {
    private var sum: SIMD4<Double>
    private var compensation = SIMD4<Double>.zero

    init(_ sum: SIMD4<Double>) { self.sum = sum }

    @inline(__always)
    mutating func add(_ term: SIMD4<Double>) {
        let total = sum + term
        let added = total - sum
        compensation += (sum - (total - added)) + (term - added)
        sum = total
    }

    subscript(lane: Int) -> CompensatedSum { CompensatedSum(sum[lane], compensation: compensation[lane]) }
}

extension WindowFunction {
    /// `sum` or `avg` of four windows; none is empty.
    @inline(__always)
    func fourSums(
        _ values: Span<Double>, _ first: Range<Int>, _ second: Range<Int>, _ third: Range<Int>, _ fourth: Range<Int>
    ) -> SIMD4<Double> {
        let windows: [4 of Range<Int>] = [first, second, third, fourth]
        let shared = Swift.min(first.count, second.count, third.count, fourth.count)
        precondition(
            shared > 0 && 0 <= Swift.min(first.lowerBound, second.lowerBound, third.lowerBound, fourth.lowerBound)
                && values.count >= Swift.max(first.upperBound, second.upperBound, third.upperBound, fourth.upperBound))
        @inline(__always) func terms(_ place: Int) -> SIMD4<Double> {
            // Inside of all four windows, and these inside of the values: checked above.
            SIMD4(
                values[unchecked: first.lowerBound &+ place], values[unchecked: second.lowerBound &+ place],
                values[unchecked: third.lowerBound &+ place], values[unchecked: fourth.lowerBound &+ place])
        }
        // A mean starts with its first value, a sum with zero.
        var sums = FourSums(self == .avg ? terms(0) : .zero)
        var place = self == .avg ? 1 : 0
        while place < shared {
            sums.add(terms(place))
            place &+= 1
        }
        var results = SIMD4<Double>.zero
        for lane in 0..<4 { results[lane] = finished(sums[lane], values, windows[lane], from: shared) }
        return results
    }

    /// A window's result, after the samples up to `place` have been added.
    private func finished(
        _ begun: CompensatedSum, _ values: Span<Double>, _ window: Range<Int>, from place: Int
    ) -> Double {
        var sum = begun
        for index in window.dropFirst(place) { sum.add(values[index]) }
        guard sum.sum.isFinite, sum.compensation.isFinite else {
            return self == .avg ? Self.mean(values, window) : Self.sum(values, window)
        }
        if self == .sum { return sum.value }
        let count = Double(window.count)
        return sum.sum / count + sum.compensation / count
    }
}

extension SlidingWindows {
    /// `sum` or `avg` at every step.
    /// - Returns: whether there is anything.
    mutating func addUp(
        _ function: WindowFunction, _ times: Span<Int64>, _ values: Span<Double>, into column: inout [Double]
    ) -> Bool {
        var isEmpty = true
        var step = 0
        while step < column.count {
            var windows: [4 of Range<Int>] = [0..<0, 0..<0, 0..<0, 0..<0]
            let count = Swift.min(4, column.count - step)
            var present = 0
            for lane in 0..<count {
                guard let window = advance(to: step + lane, times) else { continue }
                windows[lane] = window.samples
                present += 1
            }
            if present == 4 {
                let results = function.fourSums(values, windows[0], windows[1], windows[2], windows[3])
                for lane in 0..<4 { column[step + lane] = results[lane] }
            } else {
                for lane in 0..<count { column[step + lane] = function.ofWindow(values, windows[lane]) }
            }
            if present > 0 { isEmpty = false }
            step += count
        }
        return !isEmpty
    }
}

extension WindowFunction {
    fileprivate func ofWindow(_ values: Span<Double>, _ window: Range<Int>) -> Double {
        if window.isEmpty { return Absent.value }
        return self == .avg ? Self.mean(values, window) : Self.sum(values, window)
    }
}
