/// What of PromQL is switched on for a whole program, by the feature flags of Prometheus: what its parser takes, and what
/// expressions mean.
package struct LanguageFeatures: Sendable, Hashable {
    package var parser = ParserOptions.standard
    /// `promql-delayed-name-removal`, see `EvaluationSettings`.
    package var delaysNameRemoval = false
    /// `use-start-timestamps`, see `EvaluationSettings`.
    package var usesStartTimestamps = false

    package init() {}

    /// Settings with Prometheus's defaults else.
    package var evaluation: EvaluationSettings {
        var settings = EvaluationSettings()
        settings.delaysNameRemoval = delaysNameRemoval
        settings.usesStartTimestamps = usesStartTimestamps
        return settings
    }
}
