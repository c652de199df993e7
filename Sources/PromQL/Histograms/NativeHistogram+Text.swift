package import Streams

extension NativeHistogram {
    /// As templates, alerts and `count_values` show it: `{count:3, sum:5, [-1,-0.5):1, (0.5,1]:2}`. Empty buckets are
    /// left out.
    package var text: String {
        func number(_ value: Double) -> String { formatFloat(value, .general) }
        var parts = ["count:\(number(count))", "sum:\(number(sum))"]
        var shown = negativeBuckets.reversed().filter { $0.count != 0 }
        if zeroCount != 0 { shown.append(zeroBucket) }
        shown += positiveBuckets.filter { $0.count != 0 }
        for bucket in shown {
            let bounds = "\(number(bucket.lower)),\(number(bucket.upper))"
            parts.append(
                "\(bucket.includesLower ? "[" : "(")\(bounds)\(bucket.includesUpper ? "]" : ")")"
                    + ":\(number(bucket.count))")
        }
        return "{" + parts.joined(separator: ", ") + "}"
    }
}
