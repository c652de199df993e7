import PromQL
import Streams

/// What of Prometheus's features there is, in the form of `features`.
struct Features {
    private let enabled: LanguageFeatures

    init(_ enabled: LanguageFeatures) { self.enabled = enabled }

    var json: JSONValue {
        .object([
            .init("api", Self.flags(Self.api)), .init("otlp_receiver", Self.flags(["delta_conversion": false])),
            .init("prometheus", Self.flags(["agent_mode": false, "auto_reload_config": false, "server_mode": true])),
            .init("promql", Self.flags(language)), .init("promql_functions", Self.flags(functions)),
            .init("promql_operators", Self.flags(operators)),
            .init("rules", Self.flags(["concurrent_rule_eval": false, "keep_firing_for": true, "query_offset": true])),
            .init("scrape", Self.flags(["extra_scrape_metrics": false, "type_and_unit_labels": false])),
            .init("service_discovery_providers", Self.flags(["static": true])),
            .init("tsdb", Self.flags(["exemplar_storage": true, "native_histograms": true])),
            .init("ui", Self.flags(["ui_v2": false, "ui_v3": false])),
        ])
    }

    private static func flags(_ flags: [String: Bool]) -> JSONValue {
        .object(flags.sorted { $0.key < $1.key }.map { .init($0.key, .bool($0.value)) })
    }

    private static let api = [
        "admin": false, "exclude_alerts": true, "label_values_match": true, "lifecycle": true,
        "openapi_3.1": true, "openapi_3.2": false, "otlp_write_receiver": false, "query_stats": true,
        "query_warnings": true, "remote_write_receiver": true, "search": true, "search_fuzz_alg_jarowinkler": true,
        "search_fuzz_alg_subsequence": true, "time_range_labels": true, "time_range_series": true,
    ]

    /// What the parser takes.
    private var language: [String: Bool] {
        let options = enabled.parser
        return [
            "anchored": options.extendedRangeSelectors, "at_modifier": true, "bool": true, "by": true,
            "delayed_name_removal": enabled.delaysNameRemoval, "duration_expr": options.durationExpressions,
            "fill": options.fillModifiers,
            "fill_left": options.fillModifiers, "fill_right": options.fillModifiers, "group_left": true,
            "group_right": true, "ignoring": true, "negative_offset": true, "offset": true, "on": true,
            "per_query_lookback_delta": true, "per_step_stats": false, "smoothed": options.extendedRangeSelectors,
            "subqueries": true, "type_and_unit_labels": false, "without": true,
        ]
    }

    private var functions: [String: Bool] {
        let takesAll = enabled.parser.experimentalFunctions
        return Dictionary(
            uniqueKeysWithValues: FunctionSignature.all.map { ($0.name, takesAll || !$0.isExperimental) })
    }

    private var operators: [String: Bool] {
        let takesAll = enabled.parser.experimentalFunctions
        var operators = Dictionary(uniqueKeysWithValues: BinaryOperator.allCases.map { ($0.rawValue, true) })
        for op in AggregationOperator.allCases { operators[op.rawValue] = takesAll || !op.isExperimental }
        for op in ["=~", "!~", "@"] { operators[op] = true }
        return operators
    }
}
