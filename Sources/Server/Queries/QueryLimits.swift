/// Bounds on what clients may ask of the language, under Prometheus's names.
package struct QueryLimits: Sendable {
    /// `query.max-concurrency`: how many queries are evaluated at a time.
    package var concurrencyMax = 20
    /// How many more wait for their turn; beyond it they are refused.
    package var waitingMax = 200
    /// `query.max-samples`: how many samples one query may hold.
    package var samplesMax = 50_000_000
    /// `query.timeout`: how long a query may wait and be evaluated.
    package var timeout: Duration = .seconds(120)
    /// How much memory the answers that clients are still reading may take together.
    package var answersBytesMax = 1 << 30

    package init() {}
}
