import Actors
import Streams

/// The metrics of the graph's edges.
enum EdgeReadings {
    static func add<Element>(_ edge: Edge<Element>, to readings: inout [Telemetry.Reading]) {
        let counts = edge.counts
        add(
            edge.name, received: counts.received, delivered: counts.delivered, refused: counts.refused,
            queued: counts.queued, capacity: edge.capacity.elements, blocked: counts.blockedNanoseconds, to: &readings)
    }

    static func add(_ gate: EvaluationGate, to readings: inout [Telemetry.Reading]) {
        let counts = gate.counts
        add(
            EdgeName(pipeline: "", from: "ingest", to: "rules"), received: counts.received,
            delivered: counts.delivered, refused: counts.refused, queued: counts.queued, capacity: gate.capacity,
            blocked: counts.blockedNanoseconds, to: &readings)
    }

    private static func add(
        _ name: EdgeName, received: UInt64, delivered: UInt64, refused: UInt64, queued: Int, capacity: Int,
        blocked: UInt64, to readings: inout [Telemetry.Reading]
    ) {
        let labels: LabelSet = ["pipeline": name.pipeline, "from": name.from, "to": name.to]
        func reading(_ suffix: String, _ kind: Telemetry.Kind, _ help: String, _ value: Double) {
            readings.append(
                Telemetry.Reading("tocsin_edge_\(suffix)", kind, help: help, labels: labels, value: value))
        }
        reading("received_total", .counter, "Elements that the edge took.", Double(received))
        reading("delivered_total", .counter, "Elements that the edge's receiver got.", Double(delivered))
        reading("refused_total", .counter, "Elements for which there was no room.", Double(refused))
        reading("queued", .gauge, "Elements that wait in the edge.", Double(queued))
        reading("capacity", .gauge, "Elements that the edge can hold.", Double(capacity))
        reading(
            "blocked_seconds_total", .counter, "Time that senders waited for room.", Double(blocked) / 1_000_000_000)
    }
}
