import Streams

/// Prometheus's API as an OpenAPI document (3.1), for those who make clients from it.
struct APIDescription {
    struct Parameter {
        var name: String
        var meaning: String
        var type = "string"
        var isRequired = false
        var isRepeated = false
    }

    struct Endpoint {
        /// Below `/api/v1/`; a part in braces is a parameter.
        var path: String
        var summary: String
        var takesForm = false
        var parameters: [Parameter] = []
    }

    // MARK: parameters

    private static let query = Parameter(name: "query", meaning: "A PromQL expression.", isRequired: true)
    private static let start = Parameter(name: "start", meaning: "Seconds since the epoch, or RFC 3339.")
    private static let end = Parameter(name: "end", meaning: "Seconds since the epoch, or RFC 3339.")
    private static let limit = Parameter(name: "limit", meaning: "The most elements of the answer.", type: "integer")
    private static let match = Parameter(name: "match[]", meaning: "A selector of series.", isRepeated: true)
    private static let metric = Parameter(name: "metric", meaning: "Only this metric.")
    private static let evaluation = [
        Parameter(name: "timeout", meaning: "How long it may take: seconds or a duration."), limit,
        Parameter(name: "lookback_delta", meaning: "How far back a sample is looked for."),
        Parameter(name: "stats", meaning: "true or all: adds statistics."),
    ]
    private static let search = [
        Parameter(name: "search[]", meaning: "What the name contains.", isRepeated: true), match, start, end,
        Parameter(name: "fuzz_alg", meaning: "subsequence or jarowinkler."),
        Parameter(name: "fuzz_threshold", meaning: "From 0 to 100.", type: "integer"),
        Parameter(name: "case_sensitive", meaning: "Whether case matters.", type: "boolean"),
        Parameter(name: "sort_by", meaning: "alpha or score."), Parameter(name: "sort_dir", meaning: "asc or dsc."),
        Parameter(name: "include_score", meaning: "Adds how well a name matches.", type: "boolean"), limit,
        Parameter(name: "batch_size", meaning: "Results a line.", type: "integer"),
    ]
    private static func required(_ parameter: Parameter) -> Parameter {
        var parameter = parameter
        parameter.isRequired = true
        return parameter
    }
    private static let job = Parameter(name: "scrapePool", meaning: "A job's name.")
    private static let step = Parameter(name: "step", meaning: "Seconds or a duration.", isRequired: true)

    // MARK: endpoints

    static let endpoints = queries + series + state + status

    private static let queries = [
        Endpoint(
            path: "query", summary: "Evaluates an expression at one time", takesForm: true,
            parameters: [query, Parameter(name: "time", meaning: "Now unless set.")] + evaluation),
        Endpoint(
            path: "query_range", summary: "Evaluates an expression over a range", takesForm: true,
            parameters: [query, required(start), required(end), step] + evaluation),
        Endpoint(
            path: "query_exemplars", summary: "The exemplars of the series of an expression", takesForm: true,
            parameters: [query, start, end]),
        Endpoint(path: "format_query", summary: "Lays an expression out", takesForm: true, parameters: [query]),
        Endpoint(path: "parse_query", summary: "An expression as a tree", takesForm: true, parameters: [query]),
    ]

    private static let series = [
        Endpoint(
            path: "series", summary: "Series that selectors accept", takesForm: true,
            parameters: [required(match), start, end, limit]),
        Endpoint(path: "labels", summary: "Names of labels", takesForm: true, parameters: [match, start, end, limit]),
        Endpoint(
            path: "label/{name}/values", summary: "Values of a label", parameters: [match, start, end, limit]),
        Endpoint(
            path: "search/metric_names", summary: "Finds metrics", takesForm: true,
            parameters: search + [Parameter(name: "include_metadata", meaning: "Adds metadata.", type: "boolean")]),
        Endpoint(path: "search/label_names", summary: "Finds labels", takesForm: true, parameters: search),
        Endpoint(
            path: "search/label_values", summary: "Finds values of a label", takesForm: true,
            parameters: [Parameter(name: "label", meaning: "The label's name.", isRequired: true)] + search),
        Endpoint(
            path: "metadata", summary: "What metrics are",
            parameters: [metric, limit, Parameter(name: "limit_per_metric", meaning: "0: all.", type: "integer")]),
    ]

    private static let state = [
        Endpoint(
            path: "rules", summary: "Rules and what they have found",
            parameters: [
                Parameter(name: "type", meaning: "alert or record."),
                Parameter(name: "rule_name[]", meaning: "Only these rules.", isRepeated: true),
                Parameter(name: "rule_group[]", meaning: "Only these groups.", isRepeated: true),
                Parameter(name: "file[]", meaning: "Only these files.", isRepeated: true), match,
                Parameter(name: "exclude_alerts", meaning: "Leaves the alerts out.", type: "boolean"),
                Parameter(name: "group_limit", meaning: "Groups a page.", type: "integer"),
                Parameter(name: "group_next_token", meaning: "Where the next page begins."),
            ]),
        Endpoint(path: "alerts", summary: "Alerts that are pending or firing"),
        Endpoint(path: "alertmanagers", summary: "Where alerts go besides"),
        Endpoint(
            path: "targets", summary: "What is scraped",
            parameters: [
                Parameter(name: "state", meaning: "active, dropped or any."),
                job,
            ]),
        Endpoint(path: "scrape_pools", summary: "The jobs that are scraped"),
        Endpoint(
            path: "scrape_pools/config", summary: "The configuration of a job without secrets",
            parameters: [required(job)]),
        Endpoint(
            path: "targets/relabel_steps", summary: "What relabelling makes of a target's labels",
            parameters: [required(job), Parameter(name: "labels", meaning: "A JSON object.", isRequired: true)]),
        Endpoint(
            path: "targets/metadata", summary: "What targets tell of metrics",
            parameters: [Parameter(name: "match_target", meaning: "A selector of targets."), metric, limit]),
    ]

    private static let status = [
        Endpoint(path: "status/config", summary: "The configuration without secrets"),
        Endpoint(path: "status/flags", summary: "What the server was started with"),
        Endpoint(path: "status/runtimeinfo", summary: "Start, host, last reload"),
        Endpoint(path: "status/buildinfo", summary: "Versions"),
        Endpoint(path: "status/tsdb", summary: "How many series there are of what", parameters: [limit]),
        Endpoint(path: "status/tsdb/blocks", summary: "Blocks on disk"),
        Endpoint(
            path: "status/self_metrics", summary: "The server's own metrics",
            parameters: [Parameter(name: "metric_name_pattern", meaning: "Only metrics of such names.")]),
        Endpoint(path: "status/walreplay", summary: "How far the start is"),
        Endpoint(path: "features", summary: "Which features there are"),
        Endpoint(path: "notifications", summary: "What a person should know"),
        Endpoint(path: "notifications/live", summary: "204: ask notifications"),
    ]

    // MARK: text

    static func yaml(version: String, prefix: String) -> String {
        var text = "openapi: 3.1.0\ninfo:\n  title: Tocsin, Prometheus's API\n  version: \(quoted(version))\n"
        text += "servers:\n  - url: \(quoted(prefix + "/api/v1"))\npaths:\n"
        for endpoint in endpoints {
            text += "  /\(endpoint.path):\n"
            for method in endpoint.takesForm ? ["get", "post"] : ["get"] { write(endpoint, method, to: &text) }
        }
        return text
    }

    private static func write(_ endpoint: Endpoint, _ method: String, to text: inout String) {
        text += "    \(method):\n      summary: \(quoted(endpoint.summary))\n"
        let isForm = method == "post"
        let parts = endpoint.path.split(separator: "/").filter { $0.hasPrefix("{") }
        if !parts.isEmpty || (!isForm && !endpoint.parameters.isEmpty) { text += "      parameters:\n" }
        for part in parts {
            text += "        - name: \(part.dropFirst().dropLast())\n          in: path\n          required: true\n"
            text += "          schema: {type: string}\n"
        }
        if isForm {
            text += "      requestBody:\n        content:\n          application/x-www-form-urlencoded:\n"
            text += "            schema:\n              type: object\n              properties:\n"
            for parameter in endpoint.parameters {
                text += "                \(quoted(parameter.name)): \(schema(parameter))\n"
            }
        } else {
            for parameter in endpoint.parameters {
                text += "        - name: \(quoted(parameter.name))\n          in: query\n"
                text += "          description: \(quoted(parameter.meaning))\n"
                text += "          required: \(parameter.isRequired)\n          schema: \(schema(parameter))\n"
            }
        }
        text += "      responses:\n        \"200\": {description: \"status success, and data\"}\n"
        text += "        default: {description: \"status error, errorType and error\"}\n"
    }

    private static func schema(_ parameter: Parameter) -> String {
        parameter.isRepeated ? "{type: array, items: {type: \(parameter.type)}}" : "{type: \(parameter.type)}"
    }
}
