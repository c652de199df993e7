internal import Actors
package import PromQL
internal import Sinks
package import Streams
package import YAML

/// Runs files of unit tests of rules: each test has a store and groups of its own, in the test's own time.
package struct RuleTestPlayer: Sendable {
    package struct Settings: Sendable {
        /// Only tests whose name one of these matches anywhere; empty: all.
        package var only: [RegularExpression] = []
        /// Keys in rule files that nobody knows are no error.
        package var ignoresUnknownKeys = false
        /// Lists all samples at the end of each test.
        package var dumpsSamples = false
        package var language = ParserOptions.standard
        package var evaluation = EvaluationSettings()
        /// What `${NAME}` in pipelines among the rule files stands for.
        package var environment = Environment([:])

        package init() {}
    }

    private let settings: Settings

    package init(settings: Settings = Settings()) { self.settings = settings }

    /// Reads the file and its rule files, and runs its tests one after the other.
    package func play(_ path: String) async -> RuleTestReport {
        let diagnostics = Diagnostics()
        let files = FileReader(Environment([:]), diagnostics)
        var report = RuleTestReport(path: path, errors: [], notices: [], results: [])
        let file = files.read(path, at: nil, interpolating: false).map { RuleTestFile($0, diagnostics) }
        if let file, diagnostics.isEmpty {
            let tests = file.tests.filter(isWanted)
            let groups = tests.isEmpty ? [] : ruleGroups(of: file, files)
            if diagnostics.isEmpty {
                for test in tests { report.results.append(await play(test, of: file, groups)) }
            }
        }
        report.errors = diagnostics.errors
        report.notices = diagnostics.notices
        return report
    }

    private func isWanted(_ test: RuleTest) -> Bool {
        settings.only.isEmpty || settings.only.contains { $0.firstMatch(in: test.name) != nil }
    }

    private func play(_ test: RuleTest, of file: RuleTestFile, _ groups: [RuleGroupSettings]) async -> RuleTestResult {
        let start = ContinuousClock().now
        var result = RuleTestResult(
            title: test.title, location: test.location,
            checkCount: test.alertChecks.count + test.expressionChecks.count, failures: [], dump: [], duration: .zero)
        do throws(RuleTestRun.Unplayable) {
            var run = try RuleTestRun(test, of: file, groups, settings)
            await run.play()
            result.failures = run.failures.sorted { $0.location < $1.location }
            if settings.dumpsSamples { result.dump = await run.dump() }
        } catch {
            result.failures = error.failures
        }
        result.duration = start.duration(to: ContinuousClock().now)
        return result
    }

    /// The groups of all rule files, those that the order names first in it.
    private func ruleGroups(of file: RuleTestFile, _ files: FileReader) -> [RuleGroupSettings] {
        var groups: [RuleGroupSettings] = []
        var seen: Set<String> = []
        for pattern in file.ruleFiles {
            let paths = FileSearch.matches(pattern.node.source.resolve(pattern.value))
            if paths.isEmpty {
                files.diagnostics.note("no file matches \(quoted(pattern.value))", at: pattern.node)
            }
            for path in paths where seen.insert(path).inserted {
                let found = Diagnostics()
                groups += ruleGroups(in: path, found)
                for error in found.errors where !isIgnored(error) { files.diagnostics.report(error) }
            }
        }
        let places = Dictionary(file.groupOrder.enumerated().map { ($1, $0) }) { first, _ in first }
        return groups.enumerated().sorted { left, right in
            let (one, other) = (places[left.element.name] ?? 0, places[right.element.name] ?? 0)
            return one == other ? left.offset < right.offset : one < other
        }.map(\.element)
    }

    /// The groups of a rule file, or of a pipeline.
    private func ruleGroups(in path: String, _ diagnostics: Diagnostics) -> [RuleGroupSettings] {
        let reader = FileReader(settings.environment, diagnostics)
        guard let root = reader.read(path, at: nil, interpolating: false) else { return [] }
        guard root.entries?.isEmpty == false, FileKind(root) == .pipeline else {
            return RuleGroupSettings.decodeFile(root, options: settings.language, diagnostics: diagnostics)
        }
        guard let root = reader.read(path, at: nil, interpolating: true) else { return [] }
        return PipelineReader(reader, .standard, SinkRegistry.standard, settings.language).read(root).ruleGroups
    }

    private func isIgnored(_ error: ConfigError) -> Bool {
        if case .unknownKey = error.problem { settings.ignoresUnknownKeys } else { false }
    }
}
