import Streams
import Synchronization
import TestKit
import YAML

/// A webhook's far side that answers as a timeline's file says, and remembers what it got.
final class ScriptedWebhook: Sendable {
    struct Response: Sendable {
        var until: Double
        var status: Int
        var delay: Double
        var isForgotten: Bool

        init(_ node: Node) {
            func number(_ key: String) -> Double? { node[key]?.text.flatMap(Double.init) }
            until = number("until") ?? .infinity
            status = node["status"]?.text.flatMap(Int.init) ?? 200
            delay = number("delay") ?? 0
            isForgotten = node["drop"]?.text == "true"
        }
    }

    struct Request: Sendable {
        var at: Double
        var status: Int
        var isForgotten: Bool
        var notification: Notification
        var truncated: Int
    }

    private let responses: [Response]
    private let requests = Mutex<[Request]>([])

    init(_ node: Node?) { responses = (node?["responses"]?.items ?? []).map(Response.init) }

    var received: [Request] { requests.withLock { $0 } }
    var accepted: [Request] { received.filter { (200..<300).contains($0.status) && !$0.isForgotten } }

    func response(at time: Double) -> Response? { responses.first { time < $0.until } }
    func note(_ request: Request) { requests.withLock { $0.append(request) } }
}

/// The webhook sink as far as its configuration matters here: time-out, `max_alerts`, `send_resolved`.
struct ScriptedWebhookSink: Sink {
    static let key = "webhook_configs"
    let sendsResolved: Bool
    let alertsMax: Int
    let timeout: Duration?
    let webhook: ScriptedWebhook
    let clock: ManualClock
    let start: Timestamp

    func deliver(_ notification: Notification) async throws(DeliveryError) {
        let time = (clock.now() - start).inSeconds
        let response = webhook.response(at: time)
        let delay = Duration.milliseconds(Int64((response?.delay ?? 0) * 1000))
        let isSlow = timeout.map { delay > $0 } ?? false
        if delay > .zero {
            do { try await clock.sleep(for: isSlow ? timeout ?? delay : delay) } catch { throw .cancelled }
        }
        if isSlow { throw .unavailable(reason: "timed out", retryAfter: nil) }
        var told = notification
        var truncated = 0
        if alertsMax > 0, told.alerts.count > alertsMax {
            truncated = told.alerts.count - alertsMax
            told.alerts = Array(told.alerts.prefix(alertsMax))
        }
        let status = response?.status ?? 200
        webhook.note(
            .init(
                at: time, status: status, isForgotten: response?.isForgotten ?? false, notification: told,
                truncated: truncated))
        switch status {
        case 200..<300: return
        case 429, 500...: throw .unavailable(reason: "HTTP \(status)", retryAfter: nil)
        default: throw .refused(reason: "HTTP \(status)")
        }
    }
}
