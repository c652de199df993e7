import Streams

/// The metrics of one integration of one receiver.
struct DeliveryTelemetry: Sendable {
    /// Notifications that were taken up, each once however often it is tried.
    let notifications: Counter
    /// Those that were given up: refused, or not accepted until the next flush.
    let failed: Counter
    let requests: Counter
    let failedRequests: Counter
    /// From the flush that made the notification to its acceptance.
    let latency: Histogram

    init(_ telemetry: Telemetry, pipeline: String, receiver: String, integration: String) {
        let labels: LabelSet = ["pipeline": pipeline, "receiver": receiver, "integration": integration]
        notifications = telemetry.counter(
            "tocsin_notifications_total", help: "Notifications taken up for an integration.", labels: labels)
        failed = telemetry.counter(
            "tocsin_notifications_failed_total",
            help: "Notifications that were refused or not accepted before the next flush of their group.",
            labels: labels)
        requests = telemetry.counter(
            "tocsin_notification_requests_total", help: "Tries to deliver a notification.", labels: labels)
        failedRequests = telemetry.counter(
            "tocsin_notification_requests_failed_total", help: "Tries to deliver a notification that failed.",
            labels: labels)
        latency = telemetry.histogram(
            "tocsin_notification_latency_seconds",
            help: "Time from the flush of a group to the acceptance of its notification.", labels: labels)
    }
}
