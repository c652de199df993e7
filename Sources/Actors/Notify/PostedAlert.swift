package import Streams

/// An alert as a client posts it: what is missing is filled in as Alertmanager does.
package struct PostedAlert: Sendable, Hashable {
    package var labels: LabelSet
    package var annotations: LabelSet
    package var startsAt: Timestamp?
    package var endsAt: Timestamp?
    package var generatorURL: String

    package init(
        labels: LabelSet, annotations: LabelSet = LabelSet(), startsAt: Timestamp? = nil, endsAt: Timestamp? = nil,
        generatorURL: String = ""
    ) {
        self.labels = labels
        self.annotations = annotations
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.generatorURL = generatorURL
    }

    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The alert as the notification side takes it.
    /// - Parameter resolveTimeout: after that time an alert without an end is over, unless it is posted again.
    package func alert(at now: Timestamp, resolveTimeout: Duration) throws(Invalid) -> Alert {
        let start = startsAt ?? endsAt ?? now
        if let endsAt, endsAt < start { throw Invalid(description: "start time must be before end time") }
        try Self.check(labels, "label set")
        if labels.isEmpty { throw Invalid(description: "at least one label pair required") }
        try Self.check(annotations, "annotations")
        return Alert(
            labels: labels, annotations: annotations, startsAt: start, endsAt: endsAt ?? now + resolveTimeout,
            updatedAt: now, generatorURL: generatorURL, endsByTimeout: endsAt == nil, isPosted: true)
    }

    /// Any UTF-8 is a name, except nothing.
    private static func check(_ labels: LabelSet, _ what: String) throws(Invalid) {
        guard labels.allSatisfy({ !$0.name.isEmpty }) else {
            throw Invalid(description: "invalid \(what): invalid name \"\"")
        }
    }
}
