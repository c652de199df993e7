internal import Actors
internal import PromQL
internal import Sinks
internal import Streams
internal import YAML

/// Reads one pipeline file with all that it includes into a plan; what is wrong is reported, and reading goes on.
struct PipelineReader {
    let files: FileReader
    let sourceKinds: SourceRegistry
    let sinkKinds: [any ConfigurableSink.Type]
    let language: ParserOptions
    private var diagnostics: Diagnostics { files.diagnostics }

    init(
        _ files: FileReader, _ sourceKinds: SourceRegistry, _ sinkKinds: [any ConfigurableSink.Type],
        _ language: ParserOptions
    ) {
        self.files = files
        self.sourceKinds = sourceKinds
        self.sinkKinds = sinkKinds
        self.language = language
    }

    func read(_ root: Node) -> PipelinePlan {
        let reader = MappingReader(root, "a pipeline", diagnostics)
        let name = reader.required("name", .pipelineName, or: "")
        let prometheus = included("prometheus", reader).map { IncludedPrometheus($0, files) }
        let alertmanager = included("alertmanager", reader).map { IncludedAlertmanager($0, diagnostics) }
        checkInclude(reader)
        let global = self.global(reader, prometheus, alertmanager)
        let receiverNodes = reader.list("sinks", of: .node) + (alertmanager?.receivers ?? [])
        let receiverReader = ReceiverReader(kinds: sinkKinds, globals: global.sinks)
        let receivers = receiverNodes.map { receiverReader.read($0, diagnostics) }
        let plan = PipelinePlan(
            name: name, file: root.source.file, global: global,
            evaluation: reader.optional("evaluation", .evaluationMode) ?? .streaming,
            storage: storage(reader, prometheus),
            sources: sources(reader, prometheus, global), ruleGroups: ruleGroups(reader, name, prometheus, global),
            routing: routing(reader, alertmanager, receivers),
            templates: templates(reader, alertmanager, receiverNodes),
            receivers: receivers)
        reportMisplaced(reader)
        reader.finish()
        PipelineChecks(plan, receiverNodes, diagnostics).run()
        return plan
    }

    // MARK: include

    private func included(_ key: String, _ reader: MappingReader) -> Node? {
        guard let node = reader.node("include")?[key], !node.isNull,
            let path = Format<String>.path.decode(node, diagnostics)
        else { return nil }
        return files.read(path, at: node, interpolating: false)
    }

    private func checkInclude(_ reader: MappingReader) {
        guard let node = reader.node("include") else { return }
        let inner = MappingReader(node, "include", diagnostics)
        inner.ignore("prometheus", "alertmanager")
        inner.finish()
    }

    /// The pipeline's own keys win over those of included files.
    private func global(
        _ reader: MappingReader, _ prometheus: IncludedPrometheus?, _ alertmanager: IncludedAlertmanager?
    ) -> GlobalSettings {
        let layers = [reader.node("global"), prometheus?.global, alertmanager?.global].compactMap(\.self)
        let merged = layers.dropFirst().reduce(layers.first) { $0?.overlaid(on: $1) }
        return GlobalSettings(merged, diagnostics)
    }

    private func storage(_ reader: MappingReader, _ prometheus: IncludedPrometheus?) -> StoragePlan {
        let layers = [reader.node("storage"), prometheus?.storage].compactMap(\.self)
        return StoragePlan(layers.dropFirst().reduce(layers.first) { $0?.overlaid(on: $1) }, diagnostics)
    }

    // MARK: sections

    private func sources(
        _ reader: MappingReader, _ prometheus: IncludedPrometheus?, _ global: GlobalSettings
    ) -> [SourcePlan] {
        let own = reader.list("sources", of: .node).compactMap { sourceKinds.decode($0, global, diagnostics) }
        let included = (prometheus?.scrapeConfigs ?? []).compactMap {
            sourceKinds.decode("scrape", $0, global, diagnostics)
        }
        return own + included
    }

    private func ruleGroups(
        _ reader: MappingReader, _ name: String, _ prometheus: IncludedPrometheus?, _ global: GlobalSettings
    ) -> [RuleGroupSettings] {
        let windows = reader.list("windows", of: .rule(.recording, language)).compactMap(\.self)
        let rules = reader.list("rules", of: .rule(.alerting, language)).compactMap(\.self)
        var groups: [RuleGroupSettings] = []
        if !windows.isEmpty || !rules.isEmpty {
            groups.append(
                RuleGroupSettings(
                    name: name, file: reader.node.source.file, rules: windows + rules,
                    origin: Origin(reader.node.location)))
        }
        let patterns =
            reader.list("rule_files", of: Format<String>.nonEmptyText.located) + (prometheus?.ruleFiles ?? [])
        for path in FileSearch.files(patterns, diagnostics) {
            guard let root = files.read(path.value, at: path.node, interpolating: false) else { continue }
            groups += RuleGroupSettings.decodeFile(root, options: language, diagnostics: diagnostics)
        }
        return groups.map { group in
            var group = group
            group.interval = group.interval ?? global.evaluationInterval
            group.queryOffset = group.queryOffset ?? global.ruleQueryOffset
            return group
        }
    }

    private func routing(
        _ reader: MappingReader, _ alertmanager: IncludedAlertmanager?, _ receivers: [ReceiverPlan]
    ) -> RoutingSettings? {
        let names = Set(receivers.map(\.name))
        let own = reader.node("routing").map { node in
            let inner = MappingReader(node, "routing", diagnostics)
            defer { inner.finish() }
            return RoutingSettings(inner, receivers: names)
        }
        guard let alertmanager else { return own }
        defer { alertmanager.reader.finish() }
        let included = RoutingSettings(alertmanager.reader, receivers: names)
        if own != nil {
            reader.report(
                .conflict("\"routing\" and the included Alertmanager configuration exclude each other; leave one"),
                at: "routing")
        }
        return included
    }

    private func templates(
        _ reader: MappingReader, _ alertmanager: IncludedAlertmanager?, _ receivers: [Node]
    ) -> [String] {
        let patterns =
            reader.list("templates", of: Format<String>.nonEmptyText.located) + (alertmanager?.templates ?? [])
        let found = FileSearch.files(patterns, diagnostics)
        TemplateChecks.run(found, receivers: receivers, diagnostics)
        return found.map(\.value)
    }

    /// Keys of the peers' files have another place here.
    private func reportMisplaced(_ reader: MappingReader) {
        let places = [
            "scrape_configs": "write each as \"- scrape: {...}\" under \"sources\", or name the file under "
                + "include.prometheus",
            "receivers": "write them under \"sinks\", or name the file under include.alertmanager",
            "route": "write it under \"routing\", or name the file under include.alertmanager",
            "inhibit_rules": "write them under \"routing\"",
            "time_intervals": "write them under \"routing\"",
            "groups": "name the rule file under \"rule_files\"",
        ]
        for (key, advice) in places where reader.node[key] != nil {
            reader.report(.invalid("key \(quoted(key)) has no place in a pipeline; \(advice)"), at: key)
            reader.ignore(key)
        }
    }
}

extension Format where Value == String {
    fileprivate static var pipelineName: Format {
        Format.nonEmptyText.checked { name in
            let isGood = name.utf8.allSatisfy { byte in
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
            return isGood ? nil : "a pipeline's name has letters, digits, \"_\" and \"-\" only"
        }
    }
}

extension Format where Value == EvaluationMode {
    fileprivate static var evaluationMode: Format {
        Format<String>.text(oneOf: EvaluationMode.allCases.map(\.rawValue)).map {
            EvaluationMode(rawValue: $0) ?? .streaming
        }
    }
}

extension Format where Value == RuleSettings? {
    fileprivate static func rule(_ accepted: RuleSettings.Accepted, _ language: ParserOptions) -> Format {
        .nested { RuleSettings($0, accepting: accepted, options: language, diagnostics: $1) }
    }
}
