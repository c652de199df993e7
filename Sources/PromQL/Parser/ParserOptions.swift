/// What of the language is switched on, by the feature flags of Prometheus.
package struct ParserOptions: Sendable, Hashable {
    /// `promql-experimental-functions`: functions and aggregations marked experimental.
    package var experimentalFunctions: Bool
    /// `promql-duration-expr`: arithmetic in ranges, steps and offsets.
    package var durationExpressions: Bool
    /// `promql-extended-range-selectors`: `anchored` and `smoothed`.
    package var extendedRangeSelectors: Bool
    /// `promql-binop-fill-modifiers`: `fill`, `fill_left`, `fill_right`.
    package var fillModifiers: Bool

    package init(
        experimentalFunctions: Bool = false, durationExpressions: Bool = true, extendedRangeSelectors: Bool = false,
        fillModifiers: Bool = false
    ) {
        self.experimentalFunctions = experimentalFunctions
        self.durationExpressions = durationExpressions
        self.extendedRangeSelectors = extendedRangeSelectors
        self.fillModifiers = fillModifiers
    }

    /// As Prometheus 3.14 has it without any feature flag.
    package static let standard = ParserOptions()
    package static let everything = ParserOptions(
        experimentalFunctions: true, durationExpressions: true, extendedRangeSelectors: true, fillModifiers: true)
}
