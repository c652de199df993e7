package import Streams

/// The bounds and switches of evaluation, with Prometheus's defaults.
package struct EvaluationSettings: Sendable {
    /// How far back an instant selector looks for a sample.
    package var lookback: Duration = .seconds(300)
    /// How many samples a query may hold at a time, those it reads and those it makes.
    package var samplesMax = 50_000_000
    /// How many steps a range query may have.
    package var stepsMax = 11_000
    /// The resolution of a subquery that names none: the evaluation interval.
    package var subqueryStep: Duration = .seconds(60)
    /// Keep the metric's name to the end of the evaluation (Prometheus's `promql-delayed-name-removal`).
    package var delaysNameRemoval = false
    /// Judge counters by the label `__type__` (Prometheus's `type-and-unit-labels`).
    package var usesTypeLabels = false
    /// Let the times at which counts began tell of resets (Prometheus's `use-start-timestamps`).
    package var usesStartTimestamps = false
    /// Asked now and then; once it says yes, the query ends with `timedOut`.
    package var isPastDeadline: (@Sendable () -> Bool)?
    /// Read only these series: what changed since the last evaluation (see `ExpressionProfile.isElementWise`).
    package var only: Set<SeriesID>?

    package init() {}
}
