import ArgumentParser
import PromQL

/// What of PromQL is switched on, by the names of Prometheus's feature flags.
struct LanguageOptions: ParsableArguments {
    enum Feature: String, ExpressibleByArgument, CaseIterable {
        case experimentalFunctions = "promql-experimental-functions"
        case extendedRangeSelectors = "promql-extended-range-selectors"
        case fillModifiers = "promql-binop-fill-modifiers"
        case delayedNameRemoval = "promql-delayed-name-removal"
        case startTimestamps = "use-start-timestamps"
    }

    @Option(
        name: .customLong("enable-feature"),
        help: ArgumentHelp(
            "Switches a part of PromQL on: \(Feature.allCases.map(\.rawValue).joined(separator: ", ")). May be repeated.",
            valueName: "feature"))
    var features: [Feature] = []

    var parserOptions: ParserOptions {
        ParserOptions(
            experimentalFunctions: features.contains(.experimentalFunctions),
            extendedRangeSelectors: features.contains(.extendedRangeSelectors),
            fillModifiers: features.contains(.fillModifiers))
    }

    var evaluationSettings: EvaluationSettings {
        var settings = EvaluationSettings()
        settings.delaysNameRemoval = features.contains(.delayedNameRemoval)
        settings.usesStartTimestamps = features.contains(.startTimestamps)
        return settings
    }
}
