package import Streams

/// An alert that is not over, with what becomes of it, as an API shows it.
package struct ShownAlert: Sendable, Hashable {
    package var alert: Alert
    /// Of the routes that it takes, in the order of the file.
    package var receivers: [String]
    /// The alert that mutes it, if one does.
    package var inhibitedBy: Fingerprint?
}

extension Dispatcher {
    /// The alerts that are not over, in order of their fingerprints.
    /// - Parameter matchers: only those that all of them accept.
    package func shownAlerts(_ matchers: [Matcher], at now: Timestamp) -> [ShownAlert] {
        registry.alerts.lazy.filter { !$0.isResolved(at: now) && matchers.accept($0.labels) }
            .map { (fingerprint: $0.fingerprint, alert: $0) }
            .sorted { $0.fingerprint < $1.fingerprint }
            .map { _, alert in
                ShownAlert(
                    alert: alert, receivers: settings.routes.match(alert.labels).map(\.receiver),
                    inhibitedBy: inhibitor.inhibitor(of: alert.labels, at: now, in: registry))
            }
    }
}
