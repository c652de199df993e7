package import Streams

/// When each alert from outside that fires will be over unless it is renewed. There is nobody but the clock to say so.
struct PostedAlertEnds: Sendable {
    /// The end by which each is looked at again; it may have moved on since.
    private var scheduled: [Fingerprint: Timestamp] = [:]
    private var heap = DeadlineHeap<Fingerprint>()

    /// When the first of them has to be looked at.
    var next: Timestamp? { heap.first?.time }

    func contains(_ fingerprint: Fingerprint) -> Bool { scheduled[fingerprint] != nil }

    /// It fires, until then. A later end than before costs nothing: it is found when the earlier one has passed.
    mutating func schedule(_ fingerprint: Fingerprint, until end: Timestamp) {
        if let known = scheduled[fingerprint], known <= end { return }
        scheduled[fingerprint] = end
        heap.insert(end, fingerprint)
        // Those that ended before their time leave their deadlines behind.
        if heap.count > 2 * scheduled.count + 64 { rebuild() }
    }

    mutating func remove(_ fingerprint: Fingerprint) -> Bool { scheduled.removeValue(forKey: fingerprint) != nil }

    /// The next one whose scheduled end has passed; it is not scheduled any more.
    mutating func popDue(_ now: Timestamp) -> Fingerprint? {
        while let (time, fingerprint) = heap.first, time <= now {
            heap.removeFirst()
            guard scheduled[fingerprint] == time else { continue }
            scheduled[fingerprint] = nil
            return fingerprint
        }
        return nil
    }

    private mutating func rebuild() {
        heap = DeadlineHeap()
        for (fingerprint, end) in scheduled { heap.insert(end, fingerprint) }
    }
}

extension Dispatcher {
    /// What became of alerts from outside since this was asked for the last time.
    package mutating func takeTransitions() -> [AlertTransition] {
        defer { transitions = [] }
        return transitions
    }

    /// Sees whether an alert that was just taken began or ended. Alerts of rules are told of by their rules.
    mutating func notePosted(_ alert: Alert, now: Timestamp) {
        let fingerprint = alert.fingerprint
        if alert.isResolved(at: now) {
            if posted.remove(fingerprint) { transitions.append(transition(alert, from: .firing, to: .inactive, now)) }
        } else if posted.contains(fingerprint) {
            adoptPosted(alert)
        } else if alert.isPosted {
            adoptPosted(alert)
            transitions.append(transition(alert, from: .inactive, to: .firing, now))
        }
    }

    /// It is known to fire.
    mutating func adoptPosted(_ alert: Alert) {
        posted.schedule(alert.fingerprint, until: alert.endsAt ?? .distantFuture)
    }

    /// Ends those that nobody renewed in time.
    mutating func endPosted(now: Timestamp) {
        while let fingerprint = posted.popDue(now) {
            guard let alert = registry[fingerprint] else { continue }
            if alert.isResolved(at: now) {
                transitions.append(transition(alert, from: .firing, to: .inactive, now))
            } else {
                adoptPosted(alert)
            }
        }
    }

    private func transition(
        _ alert: Alert, from: AlertState, to: AlertState, _ now: Timestamp
    ) -> AlertTransition {
        AlertTransition(
            time: now, pipeline: settings.pipeline, group: "", rule: "", from: from, to: to, labels: alert.labels,
            annotations: alert.annotations, value: nil, activeSince: alert.startsAt)
    }
}
