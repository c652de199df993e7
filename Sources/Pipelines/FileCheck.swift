internal import Actors
package import PromQL
internal import Sinks
internal import Streams
package import YAML

/// Checks any file that Tocsin knows: pipelines, together; rule files, files of rule tests, prometheus.yml and
/// alertmanager.yml, each by itself.
package struct FileCheck: Sendable {
    package struct Report: Sendable {
        package var errors: [ConfigError] = []
        package var notices: [ConfigNotice] = []
        /// A line for each file that is good.
        package var summaries: [String] = []
    }

    private let environment: Environment
    private let language: ParserOptions

    /// - Parameters:
    ///   - environment: what `${NAME}` in pipelines stands for.
    ///   - language: what rules may use of PromQL.
    package init(environment: Environment, language: ParserOptions = .standard) {
        self.environment = environment
        self.language = language
    }

    /// - Parameter paths: files, or folders of pipelines.
    package func run(_ paths: [String]) -> Report {
        var report = Report()
        var pipelines: [String] = []
        for path in paths {
            switch kind(of: path) {
            case .pipeline: pipelines.append(path)
            case .rules: checkRules(path, &report)
            case .ruleTests: checkTests(path, &report)
            case .prometheus: checkIncluded(path, as: "prometheus", &report)
            case .alertmanager: checkIncluded(path, as: "alertmanager", &report)
            }
        }
        if !pipelines.isEmpty { checkPipelines(pipelines, &report) }
        if !report.errors.isEmpty { report.summaries = [] }
        report.errors.sort { $0.location < $1.location }
        return report
    }

    /// What can't be read is told by whoever reads pipelines. A file without anything is a good rule file.
    private func kind(of path: String) -> FileKind {
        guard FileSearch.kind(of: path) == .file else { return .pipeline }
        let reader = FileReader(Environment([:]), Diagnostics())
        guard let root = reader.read(path, at: nil, interpolating: false) else { return .pipeline }
        return root.isNull || root.entries?.isEmpty == true ? .rules : FileKind(root)
    }

    // MARK: kinds

    private func checkPipelines(_ paths: [String], _ report: inout Report) {
        do throws(ConfigErrors) {
            let plan = try PipelineLoader(environment: environment, language: language).load(paths)
            report.notices += plan.notices
            report.summaries += plan.pipelines.map { pipeline in
                "\(pipeline.file): pipeline \(pipeline.name) is good: " + Self.summary(pipeline)
            }
        } catch {
            report.errors += error.errors
        }
    }

    private func checkRules(_ path: String, _ report: inout Report) {
        let diagnostics = Diagnostics()
        let reader = FileReader(Environment([:]), diagnostics)
        guard let root = reader.read(path, at: nil, interpolating: false) else { return report.add(diagnostics) }
        let groups = RuleGroupSettings.decodeFile(root, options: language, diagnostics: diagnostics)
        report.add(diagnostics)
        report.notices += Self.duplicates(groups)
        let rules = groups.flatMap(\.rules)
        report.summaries.append(
            "\(path): the rules are good: \(Self.count(groups.count, "group")), " + Self.summary(rules))
    }

    private func checkTests(_ path: String, _ report: inout Report) {
        let diagnostics = Diagnostics()
        let reader = FileReader(Environment([:]), diagnostics)
        guard let root = reader.read(path, at: nil, interpolating: false) else { return report.add(diagnostics) }
        let file = RuleTestFile(root, diagnostics)
        report.add(diagnostics)
        report.summaries.append(
            "\(path): \(Self.count(file.tests.count, "rule test")) can be read; \"tocsin test\" runs them")
    }

    /// A configuration of a peer is what it is in a pipeline that includes it.
    private func checkIncluded(_ path: String, as key: String, _ report: inout Report) {
        let diagnostics = Diagnostics()
        let reader = FileReader(Environment([:]), diagnostics)
        do throws(ConfigError) {
            let source = try SourceText("{name: check, include: {\(key): \(quoted(path))}}", file: "")
            guard let root = DocumentParser.parse(source, diagnostics: diagnostics) else {
                return report.add(diagnostics)
            }
            let plan = PipelineReader(reader, .standard, SinkRegistry.standard, language).read(root)
            report.add(diagnostics)
            report.summaries.append("\(path): the \(key) configuration is good: " + Self.summary(plan))
        } catch {
            report.errors.append(error)
        }
    }

    // MARK: words

    /// Rules that give the same series, as `promtool check rules` tells them.
    private static func duplicates(_ groups: [RuleGroupSettings]) -> [ConfigNotice] {
        struct Identity: Hashable {
            var kind: RuleSettings.Kind
            var labels: [Label]
        }
        var seen: [Identity: SourceLocation] = [:]
        var notices: [ConfigNotice] = []
        for rule in groups.flatMap(\.rules) {
            let identity = Identity(kind: rule.kind, labels: rule.labels)
            let place = rule.origin.location
            guard let first = seen[identity] else {
                seen[identity] = place
                continue
            }
            let text =
                "rule \(quoted(rule.name)) with the same labels is already in line \(first.line); "
                + "where both give a series, one of them fails"
            notices.append(ConfigNotice(location: place, text: text))
        }
        return notices
    }

    private static func summary(_ plan: PipelinePlan) -> String {
        "\(count(plan.sources.count, "source")), \(summary(plan.ruleGroups.flatMap(\.rules))), "
            + count(plan.receivers.count, "receiver")
    }

    private static func summary(_ rules: [RuleSettings]) -> String {
        let alerts = rules.count(where: \.isAlert)
        return "\(count(rules.count - alerts, "recording rule")), \(count(alerts, "alert"))"
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}

extension FileCheck.Report {
    fileprivate mutating func add(_ diagnostics: Diagnostics) {
        errors += diagnostics.errors
        notices += diagnostics.notices
    }
}
