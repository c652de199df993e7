import Storage
import Streams
import Synchronization
import TestKit

/// A store with a way in, at a time that the test turns, and a graph behind it that can be told to be full.
final class SampleStore: Sendable {
    let clock = ManualClock()
    let telemetry = Telemetry()
    let store: SeriesStore
    let ingest: StoreIngest
    private let listener = Listener()

    init(_ settings: StorageSettings = StorageSettings()) {
        store = SeriesStore(settings: settings, shardCount: 2)
        ingest = StoreIngest(store, clock: clock, listener: listener, telemetry: telemetry)
    }

    /// Whether the graph takes nothing.
    var isFull: Bool {
        get { listener.isFull.withLock { $0 } }
        set { listener.isFull.withLock { $0 = newValue } }
    }

    private final class Listener: ChangeListener {
        let isFull = Mutex(false)
        func reserve(patience: Duration) async throws(IngestError) -> Reservation {
            if isFull.withLock({ $0 }) { throw .saturated(retryAfter: .seconds(1)) }
            return Reservation()
        }
        func deliver(_ touched: Touched, _ reservation: Reservation) {}
    }

    /// All samples of the metrics with that name: for each series, as `value @milliseconds` since `start`.
    func samples(_ name: String, since start: Timestamp) async throws -> [String: [String]] {
        let block = try await store.select(
            SelectRequest(
                matchers: [Matcher(LabelSet.metricName, equals: name)], start: .distantPast, end: .distantFuture))
        var result: [String: [String]] = [:]
        for index in 0..<block.count {
            result["\(block.labels[index])"] = (block.bounds[index]..<block.bounds[index + 1]).map { place in
                let value = block.values[place]
                let text = value.isStaleMarker ? "stale" : formatFloat(value, .general)
                return "\(text) @\(block.timestamps[place] - start.milliseconds)"
            }
        }
        return result
    }

    /// The same without times.
    func values(_ name: String) async throws -> [String: [String]] {
        try await samples(name, since: Timestamp(milliseconds: 0)).mapValues { texts in
            texts.map { String($0.prefix { $0 != "@" }.dropLast()) }
        }
    }

    /// The value of one of the program's own metrics, by its line in the exposition.
    func metric(_ series: String) -> String? {
        telemetry.exposition().split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .map { String($0.dropFirst(series.utf8.count + 1)) }
    }
}

/// An ingest whose epoch the test sets.
final class EpochIngest: Ingest {
    private let base: StoreIngest
    private let number = Mutex<UInt64>(1)

    init(_ base: StoreIngest) { self.base = base }

    func turn() { number.withLock { $0 += 1 } }
    var epoch: UInt64 { number.withLock { $0 } }

    func intern(_ labelSets: [LabelSet]) async throws(IngestError) -> [SeriesID] { try await base.intern(labelSets) }

    @discardableResult
    func submit(_ batch: SampleBatch, from source: String, patience: Duration) async throws(IngestError) -> AppendReport
    {
        try await base.submit(batch, from: source, patience: patience)
    }
}

/// Something that happens once, for one task to wait for.
final class Event: Sendable {
    private struct State {
        var hasHappened = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func happen() {
        let waiters = state.withLock { state in
            state.hasHappened = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if !state.hasHappened { state.waiters.append(continuation) }
                return state.hasHappened
            }
            if now { continuation.resume() }
        }
    }

    func forget() { state.withLock { $0.hasHappened = false } }
}

/// An ingest whose first batch waits until the test lets it go.
final class HeldIngest: Ingest {
    private let base: StoreIngest
    private let isHeld = Event()
    private let mayGo = Event()

    init(_ base: StoreIngest) { self.base = base }

    func held() async { await isHeld.wait() }
    func letGo() { mayGo.happen() }

    var epoch: UInt64 { base.epoch }
    func intern(_ labelSets: [LabelSet]) async throws(IngestError) -> [SeriesID] { try await base.intern(labelSets) }

    @discardableResult
    func submit(_ batch: SampleBatch, from source: String, patience: Duration) async throws(IngestError) -> AppendReport
    {
        isHeld.happen()
        await mayGo.wait()
        return try await base.submit(batch, from: source, patience: patience)
    }
}

/// The test's clock, telling when somebody looked at it.
final class WatchedClock: WallClock {
    private let base: ManualClock
    private let look = Event()

    init(_ base: ManualClock) { self.base = base }

    func forget() { look.forget() }
    func asked() async { await look.wait() }

    func now() -> Timestamp {
        defer { look.happen() }
        return base.now()
    }

    func sleep(until deadline: Timestamp) async throws { try await base.sleep(until: deadline) }
}

extension RegularExpression {
    /// A pattern of the test's own.
    static func known(_ pattern: String) -> RegularExpression {
        do throws(SyntaxError) {
            return try RegularExpression(pattern)
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
