import Storage
import Streams

/// What rules read from: the store, after whatever the graph's settings have them wait for.
struct RuleReader: SeriesReader {
    let store: SeriesStore
    let beforeReads: (@Sendable () async -> Void)?

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        await beforeReads?()
        return try await store.select(request)
    }
}
