import PromQL
import Testing

/// Expressions and their values as scripts, with the settings of Prometheus's defaults: names are dropped at once.
/// Figures were worked out by hand from the documentation.
@Suite struct EvaluationScriptTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let script: String

        init(_ description: String, _ script: String) {
            testDescription = description
            // A block ends with an empty line, which the cases below leave out to be short.
            self.script = script.split(separator: "\n").map { $0.hasPrefix("eval") ? "\n" + $0 : $0 }
                .joined(separator: "\n")
        }
    }

    private static let plain = selectors + windows + aggregations + operators + functions
    private static let histograms =
        histogramOperators + histogramAggregations + histogramWindows + histogramFunctions

    @Test("Where a count began tells of resets, if that is wanted", arguments: startTimestamps)
    func started(_ example: Case) async throws {
        var settings = EvaluationSettings()
        settings.usesStartTimestamps = true
        try await check(example, settings)
    }

    @Test("A query gives what it should", arguments: plain + histograms)
    func gives(_ example: Case) async throws {
        try await check(example, EvaluationSettings())
    }

    private func check(_ example: Case, _ settings: EvaluationSettings) async throws {
        var player = ScriptPlayer(settings: settings)
        let outcomes = try await player.play(PromQLScript(example.script))
        #expect(!outcomes.isEmpty)
        for outcome in outcomes {
            #expect(outcome.verdict == .passed, "line \(outcome.line): \(outcome.query)")
        }
    }
}
