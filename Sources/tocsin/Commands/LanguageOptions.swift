import ArgumentParser
import PromQL

/// What of PromQL is switched on, by the names of Prometheus's feature flags.
struct LanguageOptions: ParsableArguments {
    enum Feature: String, CaseIterable {
        case experimentalFunctions = "promql-experimental-functions"
        case extendedRangeSelectors = "promql-extended-range-selectors"
        case fillModifiers = "promql-binop-fill-modifiers"
        case delayedNameRemoval = "promql-delayed-name-removal"
        case startTimestamps = "use-start-timestamps"
    }

    /// What Prometheus has or had behind a flag and is always on here, so that the flag says nothing.
    private static let permanent = [
        "exemplar-storage", "native-histograms", "ooo-native-histograms", "promql-at-modifier", "promql-duration-expr",
        "promql-negative-offset", "remote-write-receiver", "search-api",
    ]

    @Option(
        name: .customLong("enable-feature"),
        help: ArgumentHelp(
            "Switches parts of PromQL on: \(Feature.allCases.map(\.rawValue).joined(separator: ", ")). May be repeated.",
            valueName: "feature,..."),
        transform: Self.features)
    var lists: [[Feature]] = []

    /// Names as Prometheus takes them, with commas between.
    private static func features(_ text: String) throws -> [Feature] {
        try text.split(separator: ",").compactMap { name in
            if permanent.contains(String(name)) { return nil }
            guard let feature = Feature(rawValue: String(name)) else {
                throw ValidationError(
                    "unknown feature '\(name)'; known are "
                        + Feature.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return feature
        }
    }

    /// The names of what is switched on, each once.
    var names: [String] { Feature.allCases.filter(has).map(\.rawValue) }

    var features: LanguageFeatures {
        var features = LanguageFeatures()
        features.parser = ParserOptions(
            experimentalFunctions: has(.experimentalFunctions), extendedRangeSelectors: has(.extendedRangeSelectors),
            fillModifiers: has(.fillModifiers))
        features.delaysNameRemoval = has(.delayedNameRemoval)
        features.usesStartTimestamps = has(.startTimestamps)
        return features
    }

    private func has(_ feature: Feature) -> Bool { lists.contains { $0.contains(feature) } }
}
