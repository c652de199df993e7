/// Quantiles over plain values.
enum Quantile {
    /// The quantile of the values by linear interpolation between neighbours; sorts `values` in place, NaN first.
    ///
    /// NaN for no values or a NaN quantile, -Inf below 0, +Inf above 1.
    static func of(_ values: inout [Double], _ quantile: Double) -> Double {
        if values.isEmpty || quantile.isNaN { return .nan }
        if quantile < 0 { return -.infinity }
        if quantile > 1 { return .infinity }
        values.sort(by: Self.nanFirst)
        let rank = quantile * Double(values.count - 1)
        let below = max(0, rank.rounded(.down))
        let weight = rank - rank.rounded(.down)
        let lower = Int(below)
        let upper = min(values.count - 1, lower + 1)
        return values[lower] * (1 - weight) + values[upper] * weight
    }

    /// Ascending order with NaN below everything.
    @inline(__always)
    static func nanFirst(_ left: Double, _ right: Double) -> Bool {
        left < right || (left.isNaN && !right.isNaN)
    }

    /// Descending order with NaN above everything.
    @inline(__always)
    static func nanFirstDescending(_ left: Double, _ right: Double) -> Bool {
        left > right || (left.isNaN && !right.isNaN)
    }
}
