import Streams

/// A notification in plain words, made without any template: what is told when a receiver's own texts can't be filled in.
enum NotificationSummary {
    /// Of each status; the rest is counted.
    private static let alertsMax = 50

    /// `[FIRING:2] Down (a)`: as much as fits one line.
    static func title(_ notification: Notification) -> String {
        let count = notification.firing.count
        let names = Set(notification.alerts.map(\.name)).sorted().joined(separator: ", ")
        let status = count > 0 ? "FIRING:\(count)" : "RESOLVED"
        return "[\(status)] \(names.isEmpty ? "alert" : names)".truncated(toScalars: 200)
    }

    static func text(_ notification: Notification) -> String {
        var text = ""
        for (title, alerts) in [("FIRING", notification.firing), ("RESOLVED", notification.resolved)] {
            guard !alerts.isEmpty else { continue }
            text += "\(title): \(alerts.count)\n\n"
            for alert in alerts.prefix(alertsMax) { text += describe(alert, at: notification.time) + "\n" }
            if alerts.count > alertsMax { text += "... and \(alerts.count - alertsMax) more\n\n" }
        }
        if !notification.externalURL.isEmpty { text += "-- \n\(notification.externalURL)\n" }
        return text
    }

    private static func describe(_ alert: Alert, at time: Timestamp) -> String {
        var text = "* \(alert.name.isEmpty ? "alert" : alert.name) since \(MailDate.plain(alert.startsAt))"
        if let end = alert.endsAt, alert.isResolved(at: time) { text += " until \(MailDate.plain(end))" }
        text += "\n"
        for label in alert.labels where label.name != "alertname" { text += line(label, " = ") }
        for annotation in alert.annotations { text += line(annotation, ": ") }
        if !alert.generatorURL.isEmpty { text += "  \(alert.generatorURL)\n" }
        return text
    }

    /// Further lines of a value stand below the first, further in.
    private static func line(_ label: Label, _ mark: String) -> String {
        let lines = label.value.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline)
        guard lines.count > 1 else { return "  \(label.name)\(mark)\(lines.first ?? "")\n" }
        return "  \(label.name)\(mark)\n" + lines.map { "    \($0)\n" }.joined()
    }
}
