import Glibc
package import Streams

/// Reads the text format or OpenMetrics from a body of any length, in chunks split anywhere, in bounded memory: for
/// `POST /api/v1/import/prometheus`.
///
/// ```
/// parser.feed(chunk); while let batch = try parser.next() { ... }     // for each chunk
/// while let batch = try parser.finish() { ... }                       // at the end of the body
/// ```
/// - Holds: the chunk it was fed, at most one line of `lineBytesMax` beside it, and one batch of `samplesPerBatch`.
/// - A line break inside of a quoted label value is an error here; it must be written as `\n`.
package struct StreamParser: Sendable {
    package struct Settings: Sendable, Equatable {
        package var lineBytesMax: Int
        package var samplesPerBatch: Int
        package var format: ExpositionFormat

        package init(
            lineBytesMax: Int = 1 << 20, samplesPerBatch: Int = 10_000, format: ExpositionFormat = .text
        ) {
            self.lineBytesMax = lineBytesMax
            self.samplesPerBatch = samplesPerBatch
            self.format = format
        }
    }

    private let cache: SeriesCache
    private var time: Int64
    private let context: UInt64
    private let settings: Settings
    /// Unread bytes from `cursor` on, then 64 bytes of padding, which the scan may read.
    private var buffer = [UInt8](repeating: 0, count: Self.padding)
    private var cursor = 0
    private static let padding = 64
    /// The number of the next line.
    package private(set) var line = 1
    private var type: MetricType = .unknown
    private var batch = UnresolvedBatch()
    /// Of OpenMetrics: what a `_created` line may still tell the start of.
    private var point = MetricPointLines()
    private var isEnded = false
    /// The line `# EOF` was read, behind which OpenMetrics has nothing.
    private var isAtEOF = false
    private var failure: ExpositionError?

    /// - Parameters:
    ///   - time: of samples without a timestamp.
    ///   - context: tells apart pushes in which the same bytes stand for different series, such as those with other
    ///     extra labels; 0 for none.
    package init(at time: Timestamp, context: UInt64 = 0, cache: SeriesCache, settings: Settings = Settings()) {
        self.cache = cache
        self.time = time.milliseconds
        self.context = context
        self.settings = settings
    }

    /// Takes the next bytes of the body. Call `next` until it returns nil before feeding more.
    /// - Parameter now: the time of the samples that follow and have none of their own; nil: as before.
    package mutating func feed(_ chunk: UnsafeRawBufferPointer, at now: Timestamp? = nil) {
        if let now { time = now.milliseconds }
        buffer.removeLast(Self.padding)
        if cursor > 0 {
            buffer.removeFirst(cursor)
            cursor = 0
        }
        buffer.append(contentsOf: chunk)
        buffer.append(contentsOf: repeatElement(0, count: Self.padding))
    }

    /// The next full batch; nil when it takes more bytes to fill one.
    /// - Throws: with the number of the line in the whole body; every later call throws it again.
    package mutating func next() throws(ExpositionError) -> UnresolvedBatch? {
        if let failure { throw failure }
        do throws(ExpositionError) {
            try readLines()
        } catch {
            failure = error
            buffer = [UInt8](repeating: 0, count: Self.padding)
            cursor = 0
            throw error
        }
        return isFull ? handOver() : nil
    }

    /// A metric point isn't cut where its `_created` line is likely to come.
    private var isFull: Bool {
        batch.weight >= settings.samplesPerBatch && (!point.isOpen || batch.weight >= 2 * settings.samplesPerBatch)
    }

    /// What has been read and fills no batch yet, for a client that streams slowly and wants to be heard now; nil in the
    /// middle of a metric point whose `_created` line is likely to come.
    package mutating func takePartial() -> UnresolvedBatch? {
        failure == nil && !batch.isEmpty && !point.isOpen ? handOver() : nil
    }

    /// At the end of the body: what is left, batch by batch; nil when all was handed over.
    package mutating func finish() throws(ExpositionError) -> UnresolvedBatch? {
        if !isEnded {
            isEnded = true
            if buffer.count - Self.padding > cursor { withUnsafeBytes(of: UInt8(0x0A)) { feed($0) } }
        }
        if let full = try next() { return full }
        if settings.format == .openMetrics, !isAtEOF {
            let error = ExpositionError(.eof, line: line, "the text does not end with \"# EOF\"")
            failure = error
            throw error
        }
        return batch.isEmpty ? nil : handOver()
    }

    private mutating func handOver() -> UnresolvedBatch {
        defer { batch = UnresolvedBatch() }
        point.close()
        return batch
    }

    /// Reads whole lines until the batch is full.
    private mutating func readLines() throws(ExpositionError) {
        let bytes = buffer
        let count = bytes.count - Self.padding
        while cursor < count, !isFull {
            // The array stays where it is: nothing writes to `bytes`.
            let end = bytes.withUnsafeBytes { $0[cursor..<count].firstIndexOfLineBreak }
            guard let end, end - cursor <= settings.lineBytesMax else {
                if (end ?? count) - cursor > settings.lineBytesMax {
                    throw ExpositionError(
                        .limit, line: line, "the line is longer than \(settings.lineBytesMax) bytes")
                }
                return
            }
            let from = cursor
            var result: Result<Void, ExpositionError> = .success(())
            bytes.withUnsafeBytes { all in
                do throws(ExpositionError) { try read(all, from, end) } catch { result = .failure(error) }
            }
            try result.get()
            cursor = end + 1
            line += 1
        }
    }

    /// The context of a key: whether `le` and `quantile` are normalised depends on the type.
    private var typedContext: UInt64 {
        switch type {
        case .histogram: context &+ 1
        case .summary: context &+ 2
        default: context
        }
    }

    /// Reads the line between two offsets.
    private mutating func read(
        _ all: UnsafeRawBufferPointer, _ from: Int, _ end: Int
    ) throws(ExpositionError) {
        guard let address = all.baseAddress else { return }
        let base = address.assumingMemoryBound(to: UInt8.self)
        let head = seriesEnd(base, from, end + 1)
        if head > from, base[from] != 0x23 {
            let key = SeriesKey(
                UnsafeRawBufferPointer(start: base + from, count: head - from), context: typedContext,
                secret: cache.secret)
            var place = base + head
            let mark = batch.mark
            if !isAtEOF, let tail = PlainTail.scan(&place, settings.format),
                batch.append(key, at: tail.timestamp ?? time, tail.value, cache)
            {
                if point.isWatching {
                    let series = UnsafeRawBufferPointer(start: base + from, count: head - from)
                    point.take(series, tail.value, at: batch.place(since: mark), &batch)
                }
                return
            }
        }
        if isAtEOF { throw ExpositionError(.eof, line: line, "there is text after \"# EOF\"") }
        // OpenMetrics asks for the line break, which the text format may go without.
        let length = end - from + (settings.format == .openMetrics ? 1 : 0)
        var reader = ExpositionReader(UnsafeRawBufferPointer(start: base + from, count: length), as: settings.format)
        reader.type = type
        do throws(ExpositionError) {
            switch settings.format {
            case .text: while let kind = try reader.next() { try take(kind, &reader) }
            case .openMetrics:
                if let kind = try reader.next() { try take(kind, &reader) } else { isAtEOF = true }
                if let pending = reader.pending { throw pending }
            }
        } catch {
            throw ExpositionError(error.kind, line: line, error.reason)
        }
    }

    /// Takes an entry that was read in full.
    private mutating func take(
        _ kind: ExpositionReader.Kind, _ reader: inout ExpositionReader
    ) throws(ExpositionError) {
        switch kind {
        case .type, .help, .unit:
            if kind == .type {
                type = reader.type
                if settings.format == .openMetrics {
                    point.begin(UnsafeRawBufferPointer(reader.slice(reader.start..<reader.position)), type)
                }
            }
            if let fact = reader.metadata(kind) { batch.metadata.append(fact) }
        case .comment: break
        case .series:
            let mark = batch.mark
            try takeSeries(&reader)
            if point.isWatching {
                let series = UnsafeRawBufferPointer(reader.slice(reader.series))
                point.take(series, reader.value, at: batch.place(since: mark), &batch)
            }
        }
    }

    private mutating func takeSeries(_ reader: inout ExpositionReader) throws(ExpositionError) {
        let key = SeriesKey(
            UnsafeRawBufferPointer(reader.slice(reader.series)), context: typedContext, secret: cache.secret)
        let time = reader.timestamp ?? time
        if !reader.hasExemplar, batch.append(key, at: time, reader.value, cache) { return }
        let labels = try reader.labelSet()
        if labels.name == nil { throw reader.failure(.metricName, "the series has no metric name") }
        if let exemplar = reader.exemplar(at: time) { batch.exemplars.append(.init(.labels(labels), exemplar)) }
        if reader.hasExemplar, batch.append(key, at: time, reader.value, cache) { return }
        batch.append(key, labels, at: time, reader.value)
    }
}

extension Slice where Base == UnsafeRawBufferPointer {
    fileprivate var firstIndexOfLineBreak: Int? {
        guard let address = base.baseAddress, let found = memchr(address + startIndex, 0x0A, count) else { return nil }
        return UnsafeRawPointer(found) - address
    }
}
