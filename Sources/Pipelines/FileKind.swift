internal import YAML

/// What a YAML file is, told by its keys: beside pipelines, the files of Prometheus and Alertmanager are known.
enum FileKind: Hashable, Sendable {
    case pipeline
    /// `groups` of rules.
    case rules
    /// `tests` of rules.
    case ruleTests
    /// A prometheus.yml.
    case prometheus
    /// An alertmanager.yml.
    case alertmanager

    /// Only pipelines have a name. What looks like nothing that is known is taken for one.
    init(_ root: Node) {
        func has(_ keys: String...) -> Bool { keys.contains { root[$0] != nil } }
        self =
            if has("name") {
                .pipeline
            } else if has("groups") {
                .rules
            } else if has("tests") {
                .ruleTests
            } else if has("route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals") {
                .alertmanager
            } else if has("scrape_configs", "scrape_config_files", "alerting", "remote_write", "remote_read") {
                .prometheus
            } else if has("global", "rule_files"), !has("sources", "windows", "rules", "routing", "sinks", "include") {
                .prometheus
            } else {
                .pipeline
            }
    }
}
