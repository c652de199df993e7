import Streams
package import YAML

/// How pushed samples are taken: the Pushgateway API, plain streams and remote write share it.
package struct PushSettings: Hashable, Sendable {
    /// After that long without a push a group of the Pushgateway API goes stale. Nil: never, as in Pushgateway.
    package var timeToLive: Duration?
    /// How often the last values of the groups are told again, so that they stay visible like those of a scraped
    /// Pushgateway.
    package var refreshInterval: Duration
    /// Refuses pushes that contradict other groups: types that differ, series that repeat.
    package var checksConsistency: Bool
    /// Shows the groups on `/metrics` too, as a Pushgateway does for whoever scrapes it.
    package var exposes: Bool
    /// `PUT /api/v1/admin/wipe` deletes all groups.
    package var allowsAdministration: Bool
    package var groupsMax: Int
    /// Of one push, decompressed. Streams have no bound.
    package var bodyBytesMax: Int
    package var lineBytesMax: Int
    /// Of all pushed series.
    package var labels: LabelLimits
    /// How long a push waits for room in the graph before it is refused with 503.
    package var patience: Duration

    package init(
        timeToLive: Duration? = nil, refreshInterval: Duration = .seconds(15), checksConsistency: Bool = true,
        exposes: Bool = false, allowsAdministration: Bool = false, groupsMax: Int = 100_000,
        bodyBytesMax: Int = 64 << 20, lineBytesMax: Int = 1 << 20, labels: LabelLimits = LabelLimits(),
        patience: Duration = .seconds(5)
    ) {
        self.timeToLive = timeToLive
        self.refreshInterval = refreshInterval
        self.checksConsistency = checksConsistency
        self.exposes = exposes
        self.allowsAdministration = allowsAdministration
        self.groupsMax = groupsMax
        self.bodyBytesMax = bodyBytesMax
        self.lineBytesMax = lineBytesMax
        self.labels = labels
        self.patience = patience
    }

    /// All pipelines that take pushes share one push source, so its defaults depend on none of them.
    package init(_ node: Node, _ diagnostics: Diagnostics) {
        let reader = MappingReader(node, "a push source", diagnostics)
        let sizes = Format<ByteSize>.size(in: 1024...(1 << 40))
        let standard = LabelLimits()
        func limit(_ key: String, _ value: Int) -> Int { reader.value(key, .integer(in: 0 ... .max), default: value) }
        self.init(
            timeToLive: reader.optional("time_to_live", .positiveDuration),
            refreshInterval: reader.value("refresh_interval", .positiveDuration, default: .seconds(15)),
            checksConsistency: reader.bool("consistency_check", default: true),
            exposes: reader.bool("expose", default: false),
            allowsAdministration: reader.bool("admin_api", default: false),
            groupsMax: reader.value("groups_max", .integer(in: 1...10_000_000), default: 100_000),
            bodyBytesMax: reader.value("body_size_limit", sizes, default: ByteSize(bytes: 64 << 20)).bytes,
            lineBytesMax: reader.value("line_size_limit", sizes, default: ByteSize(bytes: 1 << 20)).bytes,
            labels: LabelLimits(
                labelsMax: limit("label_limit", standard.labelsMax),
                nameBytesMax: limit("label_name_length_limit", standard.nameBytesMax),
                valueBytesMax: limit("label_value_length_limit", standard.valueBytesMax)),
            patience: reader.value("patience", .duration(), default: .seconds(5)))
        reader.finish()
    }
}
