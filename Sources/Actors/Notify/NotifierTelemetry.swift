import Logging
import Streams

/// The metrics of one pipeline's dispatcher.
struct NotifierTelemetry: Sendable {
    private let known: Gauge
    private let groups: Gauge
    private let received: Counter
    private let refused: Counter
    private let logger: Logger
    private var refusedCount: UInt64 = 0

    init(_ telemetry: Telemetry, pipeline: String, logger: Logger) {
        let labels: LabelSet = ["pipeline": pipeline]
        known = telemetry.gauge(
            "tocsin_alerts", help: "Alerts that are known, resolved ones for a while among them.", labels: labels)
        groups = telemetry.gauge("tocsin_alert_groups", help: "Groups of alerts.", labels: labels)
        received = telemetry.counter(
            "tocsin_alerts_received_total", help: "Alerts taken in, repeated ones each time.", labels: labels)
        refused = telemetry.counter(
            "tocsin_alerts_refused_total", help: "Alerts that found no room, in the registry or for a group.",
            labels: labels)
        self.logger = logger
    }

    func noteReceived(_ count: Int) { received.add(Double(count)) }

    mutating func note(_ dispatcher: Dispatcher) {
        known.set(Double(dispatcher.registry.count))
        groups.set(Double(dispatcher.groupCount))
        guard dispatcher.refusedCount > refusedCount else { return }
        if refusedCount == 0 { logger.error("There is no room for more alerts; further ones are refused.") }
        refused.add(Double(dispatcher.refusedCount - refusedCount))
        refusedCount = dispatcher.refusedCount
    }
}
