import Streams

/// A notification as Alertmanager's JSON document for programs
/// (prometheus.io/docs/alerting/latest/configuration/#webhook_config).
enum AlertmanagerDocument {
    /// - Parameters:
    ///   - alertsMax: how many alerts are shown, the others are counted; 0: all.
    ///   - version: of the format, as its readers know it.
    static func json(_ notification: Notification, alertsMax: Int = 0, version: String = "4") -> JSONValue {
        let all = notification.alerts
        let shown = alertsMax > 0 ? Array(all.prefix(alertsMax)) : all
        return [
            "receiver": .string(notification.receiver),
            "status": .string(notification.status.rawValue),
            "alerts": .array(shown.map { alert($0, at: notification.time) }),
            "groupLabels": .labels(notification.groupLabels),
            "commonLabels": .labels(notification.commonLabels),
            "commonAnnotations": .labels(notification.commonAnnotations),
            "externalURL": .string(notification.externalURL),
            "version": .string(version),
            "groupKey": .string(notification.groupKey),
            "truncatedAlerts": .integer(Int64(all.count - shown.count)),
            "notificationReason": .string(notification.reason),
            "routeLabels": .labels(notification.routeLabels),
        ]
    }

    private static func alert(_ alert: Alert, at time: Timestamp) -> JSONValue {
        let isResolved = alert.isResolved(at: time)
        return [
            "status": .string(isResolved ? "resolved" : "firing"),
            "labels": .labels(alert.labels),
            "annotations": .labels(alert.annotations),
            "startsAt": .string(alert.startsAt.rfc3339),
            // Go's zero time stands for "not yet".
            "endsAt": .string(isResolved ? alert.endsAt?.rfc3339 ?? "" : "0001-01-01T00:00:00Z"),
            "generatorURL": .string(alert.generatorURL),
            "fingerprint": .string("\(alert.fingerprint)"),
        ]
    }
}
