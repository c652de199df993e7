import Streams
import Synchronization

/// Reads through to another reader and notes which series it gave: after an evaluation of a few series only, this tells
/// which of them were looked at, those that gave no result included.
struct SourceWatch<Reader: SeriesReader>: SeriesReader {
    private final class Notes: Sendable {
        let sources = Mutex<Set<LabelSet>>([])
    }

    private let reader: Reader
    private let notes: Notes?

    /// - Parameter isWatching: otherwise it only reads through.
    init(_ reader: Reader, isWatching: Bool) {
        self.reader = reader
        notes = isWatching ? Notes() : nil
    }

    func select(_ request: SelectRequest) async throws(ReadError) -> SeriesBlock {
        let block = try await reader.select(request)
        if let notes {
            let labels = block.labels
            notes.sources.withLock { sources in
                for set in labels { sources.insert(set.removing(CollectionOfOne(LabelSet.metricName))) }
            }
        }
        return block
    }

    func selection(_ request: SelectRequest) async throws(ReadError) -> SeriesSelection {
        notes == nil ? try await reader.selection(request) : .whole(try await select(request))
    }

    /// The labels of all series read so far, without their metrics' names.
    var sources: Set<LabelSet> { notes?.sources.withLock { $0 } ?? [] }
}
