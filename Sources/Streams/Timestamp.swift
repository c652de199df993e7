/// An instant: milliseconds since the Unix epoch, as Prometheus stores it.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    package static func + (time: Self, duration: Duration) -> Self {
        Self(milliseconds: time.milliseconds &+ duration.wholeMilliseconds)
    }

    package static func - (time: Self, duration: Duration) -> Self {
        Self(milliseconds: time.milliseconds &- duration.wholeMilliseconds)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .milliseconds(left.milliseconds &- right.milliseconds)
    }

    /// Seconds since the epoch, as PromQL's `time()` counts them.
    package var seconds: Double { Double(milliseconds) / 1000 }

    package static let distantPast = Timestamp(milliseconds: .min / 4)
    package static let distantFuture = Timestamp(milliseconds: .max / 4)
}

extension Duration {
    /// The duration in milliseconds, what is below one cut off. Durations too long for 64 bits are clamped.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min / 4 : .max / 4 }
        return product + attoseconds / 1_000_000_000_000_000
    }

    /// The duration in seconds.
    /// Rounded down; the greatest there is where it's more.
    package var inMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1000)
        return overflows ? (seconds < 0 ? .min : .max) : whole &+ attoseconds / 1_000_000_000_000_000
    }

    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
