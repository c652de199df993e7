package import Streams
import Synchronization

/// How the last loading of the pipelines went, for those who ask.
package final class ConfigStatus: Sendable {
    package struct Reading: Sendable {
        package var loadedAt: Timestamp?
        package var failedAt: Timestamp?
        /// Whether what runs is what was loaded last.
        package var isGood: Bool { failedAt == nil }
    }

    private let state = Mutex(Reading())

    package init() {}

    package var reading: Reading { state.withLock { $0 } }

    package func loaded(at time: Timestamp) { state.withLock { $0 = Reading(loadedAt: time, failedAt: nil) } }
    package func failed(at time: Timestamp) { state.withLock { $0.failedAt = time } }
}
