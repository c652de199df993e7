package import Streams
import Synchronization

/// Hands every change of an alert's state to whoever listens, and keeps the last ones for those who come back.
///
/// - Holds: the last `capacity` events, once for all subscribers: each reads on from where it is. One who is overtaken is
///   told how much he missed.
/// - Waits: never; publishing does not wait for readers.
package final class AlertStreamHub: Sendable {
    struct State {
        /// The event with number `n` lies at `(n - 1) % capacity`.
        var ring: [AlertTransition] = []
        /// The number of the next event; the first is 1.
        var next: UInt64 = 1
        var waiters: [UInt64: UnsafeContinuation<Void, Never>] = [:]
        var lastSubscriber: UInt64 = 0
        var subscriberCount = 0
        var isClosed = false

        /// The number of the oldest event that is kept; `next` when there is none.
        var oldest: UInt64 { next - UInt64(ring.count) }
    }

    package static let capacityDefault = 10_000
    package static let subscribersMaxDefault = 1000

    let epoch: String
    let capacity: Int
    private let subscribersMax: Int
    let state = Mutex(State())
    private let published: Counter
    let missed: Counter
    private let subscribers: Gauge

    /// - Parameter epoch: tells the events of this run from those of others, in ids: `EPOCH-NUMBER`.
    package init(
        epoch: String, capacity: Int = AlertStreamHub.capacityDefault,
        subscribersMax: Int = AlertStreamHub.subscribersMaxDefault, telemetry: Telemetry
    ) {
        precondition(capacity > 0, "a stream without memory tells nothing")
        self.epoch = epoch
        self.capacity = capacity
        self.subscribersMax = subscribersMax
        published = telemetry.counter("tocsin_alert_stream_events_total", help: "Events of the alert stream.")
        missed = telemetry.counter(
            "tocsin_alert_stream_missed_events_total", help: "Events that slow or late subscribers missed.")
        subscribers = telemetry.gauge("tocsin_alert_stream_subscribers", help: "Who listens to the alert stream.")
    }

    package func publish(_ transitions: [AlertTransition]) {
        guard !transitions.isEmpty else { return }
        let waiters = state.withLock { state in
            for transition in transitions {
                if state.ring.count < capacity {
                    state.ring.append(transition)
                } else {
                    state.ring[Int((state.next - 1) % UInt64(capacity))] = transition
                }
                state.next += 1
            }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        published.add(Double(transitions.count))
        for waiter in waiters { waiter.resume() }
    }

    /// Ends all subscriptions once they have read what is there.
    package func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Listens from now on, or from after an event that was seen before.
    /// - Parameters:
    ///   - matchers: only alerts that all of them accept.
    ///   - after: the id of the last event that was seen. What lies between and is not kept any more comes as `missed`.
    /// - Returns: nil when too many listen already.
    package func subscribe(matchers: [Matcher] = [], after: String? = nil) -> AlertStreamSubscription? {
        let start: (id: UInt64, cursor: AlertStreamSubscription.Cursor)? = state.withLock { state in
            guard state.subscriberCount < subscribersMax else { return nil }
            state.subscriberCount += 1
            state.lastSubscriber += 1
            subscribers.set(Double(state.subscriberCount))
            let oldest = state.oldest
            guard let after else { return (state.lastSubscriber, .init(next: state.next, isLost: false)) }
            guard let number = number(of: after), number < state.next else {
                return (state.lastSubscriber, .init(next: oldest, isLost: true))
            }
            return (state.lastSubscriber, .init(next: number + 1, isLost: false))
        }
        return start.map { AlertStreamSubscription(self, id: $0.id, matchers: matchers, cursor: $0.cursor) }
    }

    func unsubscribe() {
        state.withLock { state in
            state.subscriberCount -= 1
            subscribers.set(Double(state.subscriberCount))
        }
    }

    func id(_ number: UInt64) -> String { "\(epoch)-\(number)" }

    private func number(of id: String) -> UInt64? {
        guard let dash = id.lastIndex(of: "-"), id[..<dash] == epoch else { return nil }
        return UInt64(id[id.index(after: dash)...])
    }
}
