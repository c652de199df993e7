package import Streams

/// Reads the text format from a body of any length, in chunks split anywhere, in bounded memory: for
/// `POST /api/v1/import/prometheus`.
///
/// ```
/// parser.feed(chunk); while let batch = try parser.next() { ... }     // for each chunk
/// while let batch = try parser.finish() { ... }                       // at the end of the body
/// ```
/// - Holds: at most one line of `lineBytesMax` beside the chunk it was fed, and one batch of `samplesPerBatch`.
/// - A line break inside of a quoted label value is an error here; it must be written as `\n`.
package struct StreamParser: Sendable {
    package struct Settings: Sendable, Equatable {
        package var lineBytesMax: Int
        package var samplesPerBatch: Int

        package init(lineBytesMax: Int = 1 << 20, samplesPerBatch: Int = 10_000) {
            self.lineBytesMax = lineBytesMax
            self.samplesPerBatch = samplesPerBatch
        }
    }

    private let cache: SeriesCache

    /// - Parameters:
    ///   - time: of samples without a timestamp.
    ///   - context: tells apart pushes in which the same bytes stand for different series, such as those with other
    ///     extra labels; 0 for none.
    package init(at time: Timestamp, context: UInt64 = 0, cache: SeriesCache, settings: Settings = Settings()) {
        self.cache = cache
    }

    /// Takes the next bytes of the body. Call `next` until it returns nil before feeding more.
    package mutating func feed(_ chunk: UnsafeRawBufferPointer) {}

    /// The next full batch; nil when it takes more bytes to fill one.
    package mutating func next() throws(ExpositionError) -> UnresolvedBatch? {
        throw ExpositionError(.format, line: 0, "streams are not read yet")
    }

    /// At the end of the body: what is left, batch by batch; nil when all was handed over.
    package mutating func finish() throws(ExpositionError) -> UnresolvedBatch? {
        throw ExpositionError(.format, line: 0, "streams are not read yet")
    }
}
