package import PromQL
package import Streams

/// Where what the rules find goes.
package struct RuleOutputs: Sendable {
    /// Alerts that began to fire, changed or ended, for the notification side. Waits while that is full.
    package var notify: @Sendable ([Alert]) async -> Void
    /// Every change of state, for the event stream. Never waits.
    package var publish: @Sendable ([AlertTransition]) -> Void
    /// Where the states of alerts are kept. Nil: nowhere.
    package var journal: (any StateJournal)?

    package init(
        notify: @escaping @Sendable ([Alert]) async -> Void, publish: @escaping @Sendable ([AlertTransition]) -> Void,
        journal: (any StateJournal)? = nil
    ) {
        self.notify = notify
        self.publish = publish
        self.journal = journal
    }
}

/// What is the same for all groups of a pipeline.
package struct RuleContext<Reader: SeriesReader>: Sendable {
    package var pipeline: String
    package var mode: EvaluationMode
    package var reader: Reader
    package var ingest: any Ingest
    package var dispatch: RuleDispatch
    package var clock: any WallClock
    package var telemetry: Telemetry
    package var outputs: RuleOutputs
    /// `evaluation_interval` of the pipeline's `global`.
    package var interval: Duration
    /// `rule_query_offset` of the pipeline's `global`.
    package var queryOffset: Duration
    package var externalLabels: LabelSet
    package var externalURL: String
    /// Bounds and switches of evaluations; the resolution of subqueries without a step is `interval`.
    package var evaluation = EvaluationSettings()
    /// The language of the queries that templates make.
    package var language = ParserOptions.standard

    package init(
        pipeline: String, mode: EvaluationMode, reader: Reader, ingest: any Ingest, dispatch: RuleDispatch,
        clock: any WallClock, telemetry: Telemetry, outputs: RuleOutputs, interval: Duration,
        queryOffset: Duration = .zero, externalLabels: LabelSet = LabelSet(), externalURL: String = ""
    ) {
        self.pipeline = pipeline
        self.mode = mode
        self.reader = reader
        self.ingest = ingest
        self.dispatch = dispatch
        self.clock = clock
        self.telemetry = telemetry
        self.outputs = outputs
        self.interval = interval
        self.queryOffset = queryOffset
        self.externalLabels = externalLabels
        self.externalURL = externalURL
    }
}
