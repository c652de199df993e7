import Glibc
import Streams

/// The bounds of a histogram's buckets by their indices.
struct BucketBounds {
    private let schema: Int32
    private let custom: [Double]

    init(_ histogram: NativeHistogram) {
        schema = histogram.schema
        custom = histogram.customBounds
    }

    /// The upper bound of the bucket with that index, as its absolute value for exponential schemas.
    subscript(index: Int32) -> Double {
        if schema == NativeHistogram.customSchema {
            if index < 0 { return -.infinity }
            return Int(index) < custom.count ? custom[Int(index)] : .infinity
        }
        return Self.exponential(index, schema)
    }

    /// `2^(index * 2^-schema)`. What would be 2^1024 is the largest finite number instead, so that only infinities are
    /// above it.
    static func exponential(_ index: Int32, _ schema: Int32) -> Double {
        var exponent: Int
        var fraction = 0
        if schema < 0 {
            exponent = Int(index) << Int(min(-schema, 16))
        } else {
            let shift = min(schema, finestSchema)
            exponent = Int(index) >> Int(shift)
            fraction = (Int(index) & ((1 << Int(shift)) - 1)) << Int(finestSchema - shift)
        }
        if exponent == 1024, fraction == 0 { return .greatestFiniteMagnitude }
        exponent = min(max(exponent, -5000), 5000)
        // The table's numbers begin at 1/2.
        return table[fraction] * 2 * Double(sign: .plus, exponent: exponent, significand: 1)
    }

    private static let finestSchema: Int32 = 8

    /// `2^(i/256 - 1)`, with the rounding that Prometheus's own numbers have, so that both print the same bounds.
    private static let table: [Double] = zip(0..<256, deviations.utf8).map { place, digit in
        var bound = exp2(Double(place) / 256 - 1)
        let steps = Int(digit) - Int(UInt8(ascii: "4"))
        bound += Double(steps) * bound.ulp
        return bound
    }

    /// For each number of the table by how many units in the last place Prometheus has it too high, plus 4.
    private static let deviations =
        "444444344434444444324433333333334434443443334433443345334433443344444433332234234434443444434444"
        + "444345443422443343334434342233333434332233233433333333232322232244334434332234223322343323223323"
        + "3312332322122212222222111100120133233222231133222312332222012211"
}
