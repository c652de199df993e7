import Actors
import Pipelines
import Streams

/// What Alertmanager's dashboards and alerts ask of it, under its names, where a pipeline has a routing.
struct AlertmanagerReadings {
    private var text = ""

    /// In the text format 0.0.4, written as Alertmanager writes it.
    static func exposition(_ services: ServerServices) async -> String {
        let dispatchers = await services.graph.dispatchers(of: nil)
        if dispatchers.isEmpty { return "" }
        let now = services.clock.now()
        var alerts: [String: Int] = ["active": 0, "suppressed": 0, "unprocessed": 0]
        var silences: [Silence.State: Int] = [:]
        for dispatcher in dispatchers {
            alerts.merge(dispatcher.alertCounts(at: now)) { $0 + $1 }
            silences.merge(dispatcher.silences.counts(at: now)) { $0 + $1 }
        }
        var readings = AlertmanagerReadings()
        readings.family("alertmanager_alerts", .gauge, "Alerts that are known, by state.")
        for (state, count) in alerts.sorted(by: { $0.key < $1.key }) {
            readings.line("alertmanager_alerts", [("state", state)], Double(count))
        }
        readings.received(services)
        readings.family("alertmanager_build_info", .gauge, "1, labelled with the version of this program.")
        readings.line("alertmanager_build_info", [("version", services.version)], 1)
        readings.loading(services.configuration.reading)
        readings.family("alertmanager_silences", .gauge, "Silences that are known, by state.")
        for state in Silence.State.allCases {
            readings.line("alertmanager_silences", [("state", state.rawValue)], Double(silences[state] ?? 0))
        }
        return readings.text
    }

    private mutating func family(_ name: String, _ kind: Telemetry.Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        let labels = labels.map { "\($0.name)=\(quoted($0.value))" }.joined(separator: ",")
        text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(formatFloat(value, .fixed))\n"
    }

    private mutating func loading(_ reading: ConfigStatus.Reading) {
        let good = "alertmanager_config_last_reload_successful"
        family(good, .gauge, "Whether what runs is what was loaded last.")
        line(good, [], reading.isGood ? 1 : 0)
        guard let time = reading.loadedAt else { return }
        let since = "alertmanager_config_last_reload_success_timestamp_seconds"
        family(since, .gauge, "When the running configuration was loaded.")
        line(since, [], time.seconds)
    }

    /// Those of all pipelines together.
    private mutating func received(_ services: ServerServices) {
        var counts: [String: Double] = ["firing": 0, "resolved": 0]
        let posted = services.telemetry.metrics.families().first { $0.name == "tocsin_alerts_posted_total" }
        for series in posted?.series ?? [] {
            if case .number(let value) = series.value { counts[series.labels["status"] ?? "", default: 0] += value }
        }
        let name = "alertmanager_alerts_received_total"
        family(name, .counter, "Alerts from outside that were taken, by status.")
        for (status, count) in counts.sorted(by: { $0.key < $1.key }) {
            line(name, [("status", status), ("version", "v2")], count)
        }
    }
}
