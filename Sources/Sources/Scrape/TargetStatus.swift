package import Streams
import Synchronization
import Transport

/// What is known about a target's last scrape.
package struct TargetStatus: Sendable, Equatable {
    package enum Health: String, Sendable { case unknown, up, down }

    package var job: String
    package var target: ScrapeTarget
    package var health = Health.unknown
    package var lastError = ""
    package var lastScrape: Timestamp?
    package var lastDuration: Duration = .zero
}

/// The last scrape of each target of a job, for whoever asks.
package final class TargetStatusBoard: Sendable {
    enum Change { case none, cameUp, wentDown }

    private let job: String
    private let statuses: Mutex<[ScrapeTarget: TargetStatus]>

    init(job: String, targets: [ScrapeTarget]) {
        self.job = job
        statuses = Mutex(
            Dictionary(uniqueKeysWithValues: targets.map { ($0, TargetStatus(job: job, target: $0)) }))
    }

    package var all: [TargetStatus] {
        statuses.withLock { Array($0.values) }.sorted { $0.target.url.text < $1.target.url.text }
    }

    func set(_ outcome: ScrapeOutcome, of target: ScrapeTarget, at time: Timestamp) -> Change {
        statuses.withLock { statuses in
            let before = statuses[target]?.health ?? .unknown
            var status = TargetStatus(job: job, target: target)
            status.health = outcome.error == nil ? .up : .down
            status.lastError = outcome.error ?? ""
            status.lastScrape = time
            status.lastDuration = outcome.duration
            statuses[target] = status
            if status.health == before { return .none }
            if status.health == .up { return before == .unknown ? .none : .cameUp }
            return .wentDown
        }
    }

    /// A scrape that the graph did not take tells nothing of the target: its health stays.
    func setRefused(_ reason: String, of target: ScrapeTarget, at time: Timestamp) {
        statuses.withLock {
            $0[target]?.lastError = reason
            $0[target]?.lastScrape = time
        }
    }

    func remove(_ target: ScrapeTarget) { statuses.withLock { _ = $0.removeValue(forKey: target) } }
}
