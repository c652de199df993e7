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

    /// - Parameter resolveTimeout: after that time an alert without an end is over, unless it is posted again.
    package func alert(at now: Timestamp, resolveTimeout: Duration) throws(Invalid) -> Alert {
        if labels.isEmpty { throw Invalid(description: "at least one label pair required") }
        for label in [labels, annotations].joined() where label.name.isEmpty {
            throw Invalid(description: "invalid label set: invalid name \"\"")
        }
        let start = startsAt ?? endsAt ?? now
        if let endsAt, endsAt < start { throw Invalid(description: "start time must be before end time") }
        return Alert(
            labels: labels, annotations: annotations, startsAt: start, endsAt: endsAt ?? now + resolveTimeout,
            updatedAt: now, generatorURL: generatorURL, endsByTimeout: endsAt == nil)
    }
}
