import Streams

/// The lines of a text stream whose `_created` line may still come: those of the OpenMetrics metric point being read.
///
/// A `_created` line stands behind the samples that it tells the start of, and text streams keep no line longer than they
/// must; so the bytes of the last series are kept, up to a bound that no sane metric point reaches.
struct MetricPointLines: Sendable {
    private var typeLine: [UInt8] = []
    private var heads: [UInt8] = []
    private var lines: [(head: Range<Int>, place: UnresolvedBatch.Place)] = []
    /// The text has had `_created` lines: samples may wait for one.
    private(set) var hasFoundCreated = false

    private static let linesMax = 2048
    private static let bytesMax = 256 << 10

    /// Samples wait for a `_created` line that is likely to come.
    var isOpen: Bool { hasFoundCreated && !lines.isEmpty }
    /// The family is one whose series have a start.
    private(set) var isWatching = false

    /// A family begins.
    /// - Parameter typeLine: with its line break.
    mutating func begin(_ typeLine: UnsafeRawBufferPointer, _ type: MetricType) {
        isWatching = type == .counter || type == .histogram || type == .summary
        self.typeLine = isWatching ? Array(typeLine) : []
        close()
    }

    /// No sample of before waits any more.
    mutating func close() {
        heads.removeAll(keepingCapacity: true)
        lines.removeAll(keepingCapacity: true)
    }

    static func isCreated(_ head: UnsafeRawBufferPointer) -> Bool {
        let suffix = "_created".utf8
        let name = head.firstIndex(of: 0x7B).map { head[..<$0] } ?? head[...]
        return name.count > suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
            || head.first == 0x7B && head.count > suffix.count
    }

    /// Takes a line that is read, once its sample, if any, is in the batch.
    /// - Parameter head: the bytes of its series.
    mutating func take(
        _ head: UnsafeRawBufferPointer, _ value: Double, at place: UnresolvedBatch.Place?,
        _ batch: inout UnresolvedBatch
    ) {
        if Self.isCreated(head), let created = owner(of: Array(head)), created.isCreated {
            hasFoundCreated = true
            for line in lines.reversed() {
                guard let owner = owner(of: Array(heads[line.head])), owner.bytes == created.bytes else { break }
                batch.setStart(Self.milliseconds(value), of: line.place)
            }
            close()
            return
        }
        guard let place else { return }
        if lines.count == Self.linesMax || heads.count + head.count > Self.bytesMax { close() }
        lines.append((heads.count..<heads.count + head.count, place))
        heads += head
    }

    private func owner(of head: [UInt8]) -> (bytes: [UInt8], isCreated: Bool)? {
        let text = typeLine + head + Array(" 0\n".utf8)
        return text.withUnsafeBytes { bytes in
            var reader = ExpositionReader(bytes, as: .openMetrics)
            // Both lines were read before.
            guard (try? reader.next()) == .type, (try? reader.next()) == .series else { return nil }
            return reader.startOwner
        }
    }

    /// `_created` lines tell seconds; 0 where that is no time.
    static func milliseconds(_ seconds: Double) -> Int64 {
        max(0, Int64(exactly: (seconds * 1000).rounded(.towardZero)) ?? 0)
    }
}
