import Streams

/// A notification in plain words: what a mail says to who can't or won't see HTML.
enum NotificationSummary {
    /// Of each status; the rest is counted.
    private static let alertsMax = 50

    static func text(_ notification: Notification) -> String {
        var text = ""
        for (title, alerts) in [("FIRING", notification.firing), ("RESOLVED", notification.resolved)] {
            guard !alerts.isEmpty else { continue }
            text += "\(title): \(alerts.count)\n\n"
            for alert in alerts.prefix(alertsMax) { text += describe(alert) + "\n" }
            if alerts.count > alertsMax { text += "... and \(alerts.count - alertsMax) more\n\n" }
        }
        if !notification.externalURL.isEmpty { text += "-- \n\(notification.externalURL)\n" }
        return text
    }

    private static func describe(_ alert: Alert) -> String {
        var text = "* \(alert.name.isEmpty ? "alert" : alert.name) since \(MailDate.plain(alert.startsAt))\n"
        for label in alert.labels where label.name != "alertname" { text += "  \(label.name) = \(label.value)\n" }
        for annotation in alert.annotations { text += "  \(annotation.name): \(annotation.value)\n" }
        if !alert.generatorURL.isEmpty { text += "  \(alert.generatorURL)\n" }
        return text
    }
}
