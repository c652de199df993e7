internal import PromQL
internal import Streams

/// Which metrics an expression reads.
struct MetricNames {
    /// Names that selectors ask for exactly.
    private(set) var names: Set<String> = []
    /// Whether a selector names its metric in another way, or not at all.
    private(set) var readsAny = false

    init(of expression: Expression) {
        for selector in expression.selectors {
            let exact = selector.matchers.first { $0.name == LabelSet.metricName && $0.op == .equal }
            if let exact { names.insert(exact.value) } else { readsAny = true }
        }
    }
}
