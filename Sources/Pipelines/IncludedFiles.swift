internal import Streams
internal import YAML

/// What a pipeline takes from a whole prometheus.yml. Nothing in it is interpolated.
struct IncludedPrometheus {
    let global: Node?
    let storage: Node?
    let scrapeConfigs: [Node]
    let ruleFiles: [Located<String>]

    init(_ root: Node, _ files: FileReader) {
        let diagnostics = files.diagnostics
        let reader = MappingReader(root, "a Prometheus configuration", diagnostics)
        global = reader.node("global")
        Self.checkExternalLabels(global, diagnostics)
        storage = reader.node("storage")
        ruleFiles = reader.list("rule_files", of: Format<String>.nonEmptyText.located)
        var configs = reader.list("scrape_configs", of: .node)
        for path in FileSearch.files(
            reader.list("scrape_config_files", of: Format<String>.nonEmptyText.located), diagnostics)
        {
            guard let root = files.read(path.value, at: path.node, interpolating: false) else { continue }
            let inner = MappingReader(root, "a file of scrape configs", diagnostics)
            configs += inner.list("scrape_configs", of: .node)
            inner.finish()
        }
        scrapeConfigs = configs
        if let alerting = reader.node("alerting") {
            let inner = MappingReader(alerting, "alerting", diagnostics)
            if let managers = inner.node("alertmanagers"), managers.items?.isEmpty != true {
                for manager in managers.items ?? [] { Self.checkAlertmanager(manager, diagnostics) }
                diagnostics.note("these Alertmanagers get no alerts; the pipeline's own routing does", at: managers)
            }
            inner.notSupportedYet("alert_relabel_configs")
            inner.finish()
        }
        if let runtime = reader.node("runtime") {
            diagnostics.note("\"runtime\" tunes Prometheus's own process and changes nothing here", at: runtime)
        }
        reader.notSupportedYet("remote_write", "remote_read", "tracing", "otlp")
        reader.finish()
    }

    /// Prometheus puts variables of its environment in there; taken as they are they would be other labels.
    private static func checkExternalLabels(_ global: Node?, _ diagnostics: Diagnostics) {
        for entry in global?["external_labels"]?.entries ?? [] where entry.value.text?.contains("$") == true {
            diagnostics.report(
                .notSupportedYet(
                    "a variable in \"external_labels\" of an included file (write it under the pipeline's own \"global\")"
                ),
                at: entry.value)
        }
    }

    /// No alert goes there, yet a file that Prometheus refuses is refused.
    private static func checkAlertmanager(_ node: Node, _ diagnostics: Diagnostics) {
        let version = Format<String>.text(oneOf: ["v2"])
        if let node = node["api_version"], !node.isNull { _ = version.decode(node, diagnostics) }
        for group in node["static_configs"]?.items ?? [] {
            for target in group["targets"]?.items ?? [] where target.text?.contains("/") == true {
                diagnostics.report(
                    .invalid("\(target.summary) is no target; leave scheme and path out, write host:port"), at: target)
            }
        }
        for rule in ["relabel_configs", "alert_relabel_configs"].flatMap({ node[$0]?.items ?? [] }) where rule.isNull {
            diagnostics.report(.expected("a relabelling rule", found: "nothing"), at: rule)
        }
    }
}

/// What a pipeline takes from a whole alertmanager.yml.
struct IncludedAlertmanager {
    let root: Node
    let global: Node?
    let receivers: [Node]
    let templates: [Located<String>]
    /// Has the keys of the routing, and is finished by who reads them.
    let reader: MappingReader

    init(_ root: Node, _ diagnostics: Diagnostics) {
        self.root = root
        reader = MappingReader(root, "an Alertmanager configuration", diagnostics)
        global = reader.node("global")
        receivers = reader.list("receivers", of: .node)
        templates = reader.list("templates", of: Format<String>.nonEmptyText.located)
        reader.notSupportedYet("tracing")
    }
}
