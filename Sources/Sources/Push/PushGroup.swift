import Streams

/// The metrics that were pushed under one grouping key: a value that pushes change.
struct PushGroup: Sendable {
    let key: GroupingKey
    /// In the order in which they were pushed first.
    private(set) var families: [PushedFamily] = []
    private(set) var lastPush: Timestamp?
    private(set) var lastFailure: Timestamp?
    /// The newest time at which a sample of the group was stored.
    var lastTime = Timestamp.distantPast

    init(key: GroupingKey, lastPush: Timestamp? = nil, lastFailure: Timestamp? = nil) {
        self.key = key
        self.lastPush = lastPush
        self.lastFailure = lastFailure
    }

    static let pushTimeName = "push_time_seconds"
    static let failureTimeName = "push_failure_time_seconds"

    var lastPushSucceeded: Bool { lastPush.map { $0 > lastFailure ?? .distantPast } ?? false }

    /// When the group was pushed last; where no push succeeded, when one failed.
    var lastChange: Timestamp { lastPush ?? lastFailure ?? .distantPast }

    mutating func fail(at time: Timestamp) {
        lastFailure = time
        lastTime = time
    }

    /// Takes what was pushed, its samples' labels laid under those of the group.
    /// - Parameter replacing: PUT: nothing else stays; POST: families of other names stay.
    mutating func take(_ pushed: [PushedFamily], replacing: Bool, at time: Timestamp) {
        let names = Set(pushed.map(\.name))
        families = replacing ? pushed : families.filter { !names.contains($0.name) } + pushed
        lastPush = time
        lastTime = time
    }

    /// Takes what an earlier run of the program held.
    mutating func restore(_ families: [PushedFamily]) { self.families = families }

    /// What was pushed, as it would be taken: with the group's labels, without Pushgateway's own metrics.
    ///
    /// In place: a push may have a million samples, which need not be there twice.
    func labelled(_ pushed: consuming [PushedFamily]) -> [PushedFamily] {
        var families = pushed
        families.removeAll { $0.name == Self.pushTimeName || $0.name == Self.failureTimeName }
        for family in families.indices {
            for sample in families[family].samples.indices {
                for (name, value) in key.labels { families[family].samples[sample].labels[name] = value }
            }
        }
        return families
    }

    /// What is stored for the group: its samples and the two that tell of its pushes.
    var series: [(labels: LabelSet, value: Double)] {
        families.flatMap { family in family.samples.map { ($0.labels, $0.value) } } + ownSeries
    }

    /// `push_time_seconds` and `push_failure_time_seconds`; 0 where there was none.
    var ownSeries: [(labels: LabelSet, value: Double)] {
        let own = key.labelSet
        return [
            (own.merging([LabelSet.metricName: Self.pushTimeName]), lastPush?.seconds ?? 0),
            (own.merging([LabelSet.metricName: Self.failureTimeName]), lastFailure?.seconds ?? 0),
        ]
    }

    static let pushTimeHelp = "Last Unix time when changing this group in the Pushgateway succeeded."
    static let failureTimeHelp = "Last Unix time when changing this group in the Pushgateway failed."

    /// What those two are.
    static let ownMetadata = [(pushTimeName, pushTimeHelp), (failureTimeName, failureTimeHelp)].flatMap { name, help in
        [MetricMetadata(family: name, fact: .type(.gauge)), MetricMetadata(family: name, fact: .help(help))]
    }

    var sampleCount: Int { families.reduce(2) { $0 + $1.samples.count } }
}
