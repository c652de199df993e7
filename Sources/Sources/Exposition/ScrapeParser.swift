package import Streams

/// Reads one target's scrapes: bytes in, (series id, time, value) out. Owned by the one task that scrapes the target.
///
/// One scrape is `parse`, `resolve`, then `finish` or `fail`:
/// ```
/// try parser.parse(body, as: format, at: time, epoch: ingest.epoch, into: &batch)
/// // relabel parser.unknown, check label limits, intern what is left
/// parser.resolve(ids, into: &batch)
/// // check sample_limit against parser.counts; on any failure: parser.fail()
/// let missing = parser.finish()       // a stale marker for each, at the scrape's time
/// ```
/// - Holds: of each known series its raw bytes once and about 32 bytes; series not shown for long are forgotten.
/// - Idea: a target shows its series in the same order each time, so a line is first compared with the bytes of the
///   series that followed last time; only when they differ are the labels scanned and looked up in a table.
package final class ScrapeParser {
    package struct Settings: Sendable, Equatable {
        /// Takes the timestamps of the exposition; otherwise all samples get the scrape's time.
        package var honorTimestamps: Bool
        /// Series with timestamps of their own go stale as well when they vanish.
        package var trackTimestampsStaleness: Bool

        package init(honorTimestamps: Bool = true, trackTimestampsStaleness: Bool = false) {
            self.honorTimestamps = honorTimestamps
            self.trackTimestampsStaleness = trackTimestampsStaleness
        }
    }

    /// What the scrape's own metrics say; complete once `resolve` has been called.
    package struct Counts: Sendable, Equatable {
        /// Sample lines: `scrape_samples_scraped`.
        package var scraped = 0
        /// Samples whose series relabelling kept, repeated ones included: `scrape_samples_post_metric_relabeling`, and
        /// what `sample_limit` bounds.
        package var afterRelabelling = 0
        /// Series that the last scrape did not show: `scrape_series_added`.
        package var seriesAdded = 0
        /// Lines that repeated a series without a timestamp; only the first of each was taken.
        package var duplicates = 0
        package var exemplars = 0
    }

    package let settings: Settings
    package private(set) var counts = Counts()
    /// The series that this parser has not seen before, as exposed, for the caller to relabel and intern.
    package private(set) var unknown: [LabelSet] = []
    /// What TYPE, HELP and UNIT lines say that the last scrape did not say.
    package private(set) var newMetadata: [MetricMetadata] = []

    package init(settings: Settings = Settings(), secret: HashSecret = .random()) {
        self.settings = settings
    }

    /// Reads a body. `batch` gets the samples of known series; those of unknown ones wait for `resolve`.
    /// - Parameters:
    ///   - body: at least 64 bytes behind its end must be readable, whatever they hold.
    ///   - time: of samples without a timestamp.
    ///   - epoch: `Ingest.epoch`; when it changed, every series is unknown again.
    /// - Throws: with the line and the reason. Nothing of `batch` may be used then; call `fail`.
    package func parse(
        _ body: UnsafeRawBufferPointer, as format: ExpositionFormat, at time: Timestamp, epoch: UInt64,
        into batch: inout SampleBatch
    ) throws(ExpositionError) {
        throw ExpositionError(.format, line: 0, "scrapes are not read yet")
    }

    /// Adds the samples of the unknown series.
    /// - Parameter ids: one for each of `unknown`; nil drops the series, which is remembered.
    package func resolve(_ ids: [SeriesID?], into batch: inout SampleBatch) {}

    /// The scrape was taken. Returns the series that the last scrape showed and this one does not: they are stale now.
    package func finish() -> [SeriesID] { [] }

    /// The scrape failed, or the target is gone: what it began is forgotten. Returns the series that the last scrape
    /// showed: they are all stale now.
    package func fail() -> [SeriesID] { [] }

    /// How many series and lines of metadata are known.
    package var knownCount: Int { 0 }
}
