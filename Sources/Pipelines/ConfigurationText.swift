internal import Actors
internal import Sources
internal import Streams
internal import YAML

/// The configuration as it may be shown: one YAML document in the shape of a prometheus.yml, with the files themselves
/// under `pipelines`. Secrets are masked, and what comes from the environment stands there as it is written.
struct ConfigurationText {
    private var text = ""

    static func render(_ pipelines: [PipelinePlan], _ documents: [(path: String, root: Node)]) -> String {
        var result = ConfigurationText()
        result.write(pipelines, documents.map(\.root))
        result.text += "pipelines:\n"
        // Rule files are what `rules` shows.
        for (path, root) in documents where root["groups"] == nil {
            result.text += "  - file: \(quoted(path))\n    content:"
            result.write(root, at: 3, masked: false)
        }
        return result.text
    }

    /// The scrapes alone, by job.
    static func scrapes(_ documents: [(path: String, root: Node)]) -> [String: String] {
        var result: [String: String] = [:]
        for job in jobs(of: documents.map(\.root)) {
            guard let name = job["job_name"]?.scalar?.text else { continue }
            var text = ConfigurationText()
            text.write(job, at: 0, masked: false)
            result[name] = String(text.text.drop { $0 == "\n" })
        }
        return result
    }

    private static func jobs(of roots: [Node]) -> [Node] {
        roots.flatMap { $0["sources"]?.items ?? [] }.compactMap { $0["scrape"] }
            + roots.flatMap { $0["scrape_configs"]?.items ?? [] }
    }

    private mutating func write(_ pipelines: [PipelinePlan], _ roots: [Node]) {
        guard let first = Plan.defaultPipeline(of: pipelines) ?? pipelines.first else { return }
        let global = first.global
        text += "global:\n"
        text += "  scrape_interval: \(global.scrape.interval.prometheusText)\n"
        text += "  scrape_timeout: \(global.scrape.timeout.prometheusText)\n"
        text += "  evaluation_interval: \(global.evaluationInterval.prometheusText)\n"
        if !global.externalLabels.isEmpty {
            text += "  external_labels:\n"
            for label in global.externalLabels { text += "    \(quoted(label.name)): \(quoted(label.value))\n" }
        }
        var files: [String] = []
        for pipeline in pipelines {
            for group in pipeline.ruleGroups where group.file != pipeline.file && !files.contains(group.file) {
                files.append(group.file)
            }
        }
        if !files.isEmpty {
            text += "rule_files:\n"
            for file in files { text += "  - \(quoted(file))\n" }
        }
        let jobs = Self.jobs(of: roots)
        if !jobs.isEmpty {
            text += "scrape_configs:\n"
            for job in jobs {
                text += "  -"
                write(job, at: 2, masked: false)
            }
        }
    }

    // MARK: nodes

    private static let mask = "<secret>"

    /// - Parameters:
    ///   - level: of the lines of a mapping or a list.
    ///   - masked: whether all of it is a secret.
    private mutating func write(_ node: Node, at level: Int, masked: Bool) {
        let indent = String(repeating: "  ", count: level)
        switch node.content {
        case .scalar: text += " " + scalar(node, masked) + "\n"
        case .sequence(let items):
            if items.isEmpty { text += " []" }
            text += "\n"
            for item in items {
                text += indent + "-"
                write(item, at: level + 1, masked: masked)
            }
        case .mapping(let entries):
            if entries.isEmpty { text += " {}" }
            text += "\n"
            for entry in entries {
                let key = entry.key.scalar?.text ?? ""
                text += indent + self.key(key) + ":"
                write(entry.value, at: level + 1, masked: Self.isSecret(key, inside: masked, entry.value))
            }
        }
    }

    private func key(_ text: String) -> String { LabelSet.isLegacyLabelName(text) ? text : quoted(text) }

    private func scalar(_ node: Node, _ masked: Bool) -> String {
        guard let scalar = node.scalar, !node.isNull else { return "null" }
        if masked { return Self.mask }
        let text = scalar.written ?? scalar.text
        let isBare = scalar.style == .plain && scalar.written == nil && Self.isPlain(text)
        return isBare ? text : quoted(Self.maskingUserInfo(text))
    }

    /// Whether it can stand there as it is, such as a number or `true`.
    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/")
            }
    }

    // MARK: secrets

    /// Words of keys whose values are secrets, in Prometheus's and Alertmanager's configuration.
    private static let secretWords = ["password", "secret", "token", "credential", "passphrase", "_key", "webhook"]
    private static let secretKeys: Set<String> = ["key", "url", "api_url", "slack_api_url", "authorization"]
    /// All that stands below them can be a secret.
    private static let secretMappings: Set<String> = ["params", "headers", "http_headers", "endpoint_params"]
    /// Keys that name a file or a setting, by their ends.
    private static let plainEnds = ["_file", "_files", "_ref", "_configs", "_url_file"]

    private static func isSecret(_ key: String, inside masked: Bool, _ value: Node) -> Bool {
        // Below these, keys are names that the user chose: of headers or parameters.
        if masked { return true }
        let key = key.lowercased()
        if plainEnds.contains(where: { key.hasSuffix($0) }) || key == "files" { return false }
        if secretMappings.contains(key) { return true }
        // `authorization` is a mapping of which only the credentials are one.
        guard value.scalar != nil || value.items != nil else { return false }
        return secretKeys.contains(key) || secretWords.contains { key.contains($0) }
    }

    /// A text in which user and password stand before a host.
    private static func maskingUserInfo(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let scheme = rest.firstRange(of: "://") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !"/?# ,".contains($0) }
            if let at = authority.lastIndex(of: "@") {
                result += mask
                rest = rest[at...]
            }
        }
        return result + rest
    }
}
