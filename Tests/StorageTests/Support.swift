import Streams
import Synchronization
import TestKit

@testable import Storage

/// A generator whose sequence its seed decides (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A listener that keeps what it hears; it can be told to have no room.
final class RecordingListener: ChangeListener {
    private struct State {
        var isFull = false
        var nextToken: UInt64 = 0
        var open: Set<UInt64> = []
        var touched: [Touched] = []
        var unexpected = 0
    }
    private let state = Mutex(State())

    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }
    var touched: [Touched] { state.withLock { $0.touched } }
    var openReservations: Int { state.withLock { $0.open.count } }
    var unexpectedDeliveries: Int { state.withLock { $0.unexpected } }

    func reserve(patience: Duration) async throws(IngestError) -> Reservation {
        let token: UInt64? = state.withLock { state in
            if state.isFull { return nil }
            state.nextToken += 1
            state.open.insert(state.nextToken)
            return state.nextToken
        }
        guard let token else { throw .saturated(retryAfter: .seconds(1)) }
        return Reservation(token: token)
    }

    func deliver(_ touched: Touched, _ reservation: Reservation) {
        state.withLock { state in
            if state.open.remove(reservation.token) == nil { state.unexpected += 1 }
            state.touched.append(touched)
        }
    }
}

/// Interests by metric name.
struct NamedInterests: InterestResolver {
    var byName: [String: [UInt32]]
    func interests(in labels: LabelSet) -> [InterestID] { (byName[labels.name ?? ""] ?? []).map(InterestID.init) }
}

/// A store with a way in, at a time that the test turns.
struct StoreFixture {
    let clock = ManualClock()
    let store: SeriesStore
    let ingest: StoreIngest
    let listener = RecordingListener()
    let telemetry = Telemetry()

    init(_ settings: StorageSettings = StorageSettings(), shards: Int = 3) {
        store = SeriesStore(settings: settings, shardCount: shards)
        ingest = StoreIngest(store, clock: clock, listener: listener, telemetry: telemetry)
    }

    var now: Int64 { clock.now().milliseconds }

    /// Interns and submits in one go; times count from now, in milliseconds.
    @discardableResult
    func append(_ samples: [(labels: LabelSet, at: Int64, value: Double)]) async throws -> AppendReport {
        let ids = try await ingest.intern(samples.map(\.labels))
        var batch = SampleBatch()
        for (id, sample) in zip(ids, samples) { batch.append(id, at: now + sample.at, sample.value) }
        return try await ingest.submit(batch, from: "test", patience: .zero)
    }

    /// Samples by label set, times from now.
    func select(
        _ matchers: [Matcher], from start: Int64 = -10_000_000, to end: Int64 = 10_000_000, newestOnly: Bool = false
    ) async throws -> [LabelSet: [Point]] {
        let block = try await store.select(
            SelectRequest(
                matchers: matchers, start: Timestamp(milliseconds: now + start),
                end: Timestamp(milliseconds: now + end),
                newestOnly: newestOnly))
        var result: [LabelSet: [Point]] = [:]
        for index in 0..<block.count {
            result[block.labels[index]] = (block.bounds[index]..<block.bounds[index + 1]).map {
                Point(block.timestamps[$0] - now, block.values[$0])
            }
        }
        return result
    }
}

/// A sample, equal by the bits of its value.
struct Point: Equatable, CustomStringConvertible {
    var time: Int64
    var bits: UInt64
    init(_ time: Int64, _ value: Double) {
        self.time = time
        bits = value.bitPattern
    }
    var description: String { "\(Double(bitPattern: bits))@\(time)" }
}
