package import Streams

/// An alert that is not over, with what becomes of it, as an API shows it.
package struct ShownAlert: Sendable, Hashable {
    package var alert: Alert
    /// Of the routes that it takes, in the order of the file; in a group those of the groups that were asked for, sorted.
    package var receivers: [String]
    /// The alert that mutes it, if one does.
    package var inhibitedBy: Fingerprint?
    /// The silences that mute it, sorted.
    package var silencedBy: [String]

    package var isSuppressed: Bool { inhibitedBy != nil || !silencedBy.isEmpty }
}

/// Alerts that are told together, as an API shows them.
package struct ShownGroup: Sendable, Hashable {
    package var labels: LabelSet
    package var routeLabels: LabelSet
    package var receiver: String
    /// The time intervals for which nothing of it is told now.
    package var mutedBy: [String]
    /// In the order of a notification.
    package var alerts: [ShownAlert]
}

extension Dispatcher {
    /// The alerts that are not over, in order of their fingerprints.
    /// - Parameter matchers: only those that all of them accept.
    package func shownAlerts(_ matchers: [Matcher], at now: Timestamp) -> [ShownAlert] {
        registry.alerts.lazy.filter { !$0.isResolved(at: now) && matchers.accept($0.labels) }
            .map { (fingerprint: $0.fingerprint, alert: $0) }
            .sorted { $0.fingerprint < $1.fingerprint }
            .map { _, alert in shown(alert, settings.routes.match(alert.labels).map(\.receiver), at: now) }
    }

    private func shown(_ alert: Alert, _ receivers: [String], at now: Timestamp) -> ShownAlert {
        ShownAlert(
            alert: alert, receivers: receivers,
            inhibitedBy: inhibitor.inhibitor(of: alert.labels, at: now, in: registry),
            silencedBy: silences.muting(alert.labels, at: now))
    }

    /// The groups with alerts that are not over, by their labels and then by receiver.
    /// - Parameters:
    ///   - isShown: which alerts; a group without any is left out.
    ///   - takes: which receivers.
    package func shownGroups(
        _ matchers: [Matcher], at now: Timestamp, receivers takes: (String) -> Bool,
        alerts isShown: (ShownAlert) -> Bool
    ) -> [ShownGroup] {
        var result: [ShownGroup] = []
        var receivers: [Fingerprint: [String]] = [:]
        for group in groups.values {
            let route = settings.routes.routes[group.id.route]
            guard takes(route.receiver) else { continue }
            var alerts: [ShownAlert] = []
            for (fingerprint, alert) in group.alerts {
                guard !alert.isResolved(at: now), matchers.accept(alert.labels) else { continue }
                let shown = shown(alert, [], at: now)
                guard isShown(shown) else { continue }
                receivers[fingerprint, default: []].append(route.receiver)
                alerts.append(shown)
            }
            if alerts.isEmpty { continue }
            result.append(
                ShownGroup(
                    labels: group.id.labels, routeLabels: route.labels, receiver: route.receiver,
                    mutedBy: settings.mutingIntervals(of: route, at: now),
                    alerts: alerts.sorted { Alert.isShownBefore($0.alert, $1.alert) }))
        }
        for group in result.indices {
            for place in result[group].alerts.indices {
                let fingerprint = result[group].alerts[place].alert.fingerprint
                result[group].alerts[place].receivers = (receivers[fingerprint] ?? []).sorted { $0.isBefore($1) }
            }
        }
        return result.sorted { left, right in
            left.labels == right.labels
                ? left.receiver.isBefore(right.receiver) : left.labels.isShownBefore(right.labels)
        }
    }
}

extension Dispatcher {
    /// How many of the alerts that are not over are told (`active`) and how many are muted (`suppressed`).
    package func alertCounts(at now: Timestamp) -> [String: Int] {
        var counts: [String: Int] = [:]
        for alert in registry.alerts where !alert.isResolved(at: now) {
            let isMuted =
                silences.mute(alert.labels, at: now)
                || inhibitor.inhibitor(of: alert.labels, at: now, in: registry) != nil
            counts[isMuted ? "suppressed" : "active", default: 0] += 1
        }
        return counts
    }
}
