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
        /// Of protobuf: native histograms are taken, and classic buckets only where there is no native one.
        package var takesNativeHistograms: Bool
        /// Classic buckets are taken beside a native histogram too.
        package var alwaysTakesClassicHistograms: Bool

        package init(
            honorTimestamps: Bool = true, trackTimestampsStaleness: Bool = false, takesNativeHistograms: Bool = false,
            alwaysTakesClassicHistograms: Bool = false
        ) {
            self.honorTimestamps = honorTimestamps
            self.trackTimestampsStaleness = trackTimestampsStaleness
            self.takesNativeHistograms = takesNativeHistograms
            self.alwaysTakesClassicHistograms = alwaysTakesClassicHistograms
        }
    }

    /// What the scrape's own metrics say; complete once `resolve` has been called.
    package struct Counts: Sendable, Equatable {
        /// Sample lines: `scrape_samples_scraped`.
        package var scraped = 0
        /// Samples whose series relabelling kept, repeated ones included: `scrape_samples_post_metric_relabeling`, and
        /// what `sample_limit` bounds.
        package var afterRelabelling = 0
        /// Series that this parser had not seen before, or had forgotten, other than by an epoch change:
        /// `scrape_series_added`.
        package var seriesAdded = 0
        /// Lines that repeated a series without a timestamp; only the first of each was taken.
        package var duplicates = 0
        package var exemplars = 0
    }

    package let settings: Settings
    package private(set) var counts = Counts()
    /// The series that this parser has not seen before, as exposed, for the caller to relabel and intern.
    package private(set) var unknown: [LabelSet] = []
    /// The label names that unknown series, told by their places, were exposed with under an empty value.
    package private(set) var emptyLabels: [Int: [String]] = [:]
    /// What TYPE, HELP and UNIT lines say that no scrape said before, or not lately.
    package private(set) var newMetadata: [MetricMetadata] = []
    /// Whether what was said about families before `newMetadata` may not be so any more: then `shownMetadata` says it all.
    package private(set) var hasForgotten = false
    /// Those of the series that are kept; complete once `resolve` has been called.
    package private(set) var exemplars: [SeriesExemplar] = []

    private var known: KnownLines
    private var starts = StartLines()
    private var startLines: [StartLines.NewLine] = []
    private var toldStarts: [(line: UInt32, start: Int64)] = []
    private var droppedLines: [(line: UInt32, value: Double)] = []
    private var epoch: UInt64?
    /// Counts scrapes; `KnownLines.Line.mark` holds 30 bits of it.
    private var generation: UInt32 = 1
    private var isBegun = false
    /// Lines from here on were added by the scrape that is not finished.
    private var firstNew = 0
    private var unknownLines: [UInt32] = []
    private var waiting: [ScrapePass.Waiting] = []
    private var repeated: [Int] = []
    private var lineExemplars: [(line: UInt32, exemplar: Exemplar)] = []
    private var format = ExpositionFormat.text
    private var tracked = 0
    private var retained = 0
    private var seen = 0
    private var lastTracked = 0
    /// What the last scrape showed before an epoch change made the parser forget it.
    private var carried: [SeriesID] = []

    /// - Parameter secret: keys the hash of the table, so that no target can aim for collisions.
    package init(settings: Settings = Settings(), secret: HashSecret = .random()) {
        self.settings = settings
        known = KnownLines(secret: secret)
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
        precondition(!isBegun, "the last scrape was neither finished nor failed")
        begin(epoch)
        self.format = format
        if body.count > 0, body[body.count - 1] == 0x0A {
            try run(body, format, time, &batch)
            return
        }
        // The loop relies on a line break at the end; bodies without one are rare, and copied.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count + 1 + 64, alignment: 16)
        defer { copy.deallocate() }
        copy.copyMemory(from: body)
        copy[body.count] = 0x0A
        copy[(body.count + 1)...].initializeMemory(as: UInt8.self, repeating: 0)
        try run(UnsafeRawBufferPointer(rebasing: copy[...body.count]), format, time, &batch)
    }

    /// As `parse`, of a body in protobuf.
    package func parseProtobuf(
        _ body: UnsafeRawBufferPointer, at time: Timestamp, epoch: UInt64, into batch: inout SampleBatch
    ) throws(ExpositionError) {
        precondition(!isBegun, "the last scrape was neither finished nor failed")
        begin(epoch)
        // What its families say about themselves is kept as lines of that format.
        format = .openMetrics
        if body.count > 0 { return try run(body, nil, time, &batch) }
        // An empty body may have no address.
        try withUnsafeBytes(of: UInt64(0)) { bytes throws(ExpositionError) in
            try run(UnsafeRawBufferPointer(rebasing: bytes[..<0]), nil, time, &batch)
        }
    }

    private func begin(_ epoch: UInt64) {
        hasForgotten = self.epoch != epoch || starts.wantsRereading
        if let last = self.epoch, last != epoch || starts.wantsRereading {
            carried += trackedNow()
            known.removeAll()
            starts = StartLines()
            lastTracked = 0
        }
        self.epoch = epoch
        isBegun = true
        generation += 1
        if generation >= 1 << 30 {
            // In 30 bits there is room for a thousand years at a scrape every half a minute.
            for index in 0..<known.count { known.lines[index].mark = 0 }
            generation = 2
        }
        firstNew = known.count
        counts = Counts()
        exemplars = []
    }

    /// - Parameter format: nil for protobuf.
    private func run(
        _ body: UnsafeRawBufferPointer, _ format: ExpositionFormat?, _ time: Timestamp, _ batch: inout SampleBatch
    ) throws(ExpositionError) {
        var pass = ScrapePass(
            body, as: format ?? .text, settings: settings, time: time.milliseconds, generation: generation,
            firstNew: firstNew,
            watchesDropped: starts.watchesDropped)
        if format == nil {
            try pass.runProtobuf(body, &known, into: &batch)
        } else {
            try pass.run(&known, into: &batch)
        }
        counts = pass.counts
        unknown = pass.unknown
        emptyLabels = pass.emptyLabels
        unknownLines = pass.unknownLines
        waiting = pass.waiting
        repeated = pass.repeated.map { pass.unknownIndex(of: $0) }
        newMetadata = pass.metadata
        startLines = pass.startLines
        toldStarts = pass.toldStarts
        droppedLines = pass.dropped
        lineExemplars = pass.exemplars
        tracked = pass.tracked
        retained = pass.retained
        seen = pass.seen
    }

    /// Adds the samples of the unknown series.
    /// - Parameter ids: one for each of `unknown`; nil drops the series, which is remembered.
    package func resolve(_ ids: [SeriesID?], into batch: inout SampleBatch) {
        precondition(ids.count == unknown.count, "an id, or nil, for each unknown series")
        // After an epoch change every series is unknown again, and none of those is new.
        let old = Set(carried)
        for (line, id) in zip(unknownLines, ids) {
            let line = known.lines + Int(line)
            if let id {
                line.pointee.id = id.rawValue
                if !old.contains(id) { counts.seriesAdded += 1 }
            } else {
                line.pointee.id = KnownLines.dropped
                tracked -= Int(line.pointee.mark & 1)
                line.pointee.mark &= ~1
            }
        }
        for sample in waiting {
            guard let id = ids[Int(sample.unknown)] else {
                if !startLines.isEmpty { droppedLines.append((unknownLines[Int(sample.unknown)], sample.value)) }
                continue
            }
            counts.afterRelabelling += 1
            batch.append(id, at: sample.timestamp, sample.value)
        }
        for place in repeated where ids[place] != nil {
            counts.afterRelabelling += 1
            counts.duplicates += 1
        }
        if !startLines.isEmpty { starts.add(startLines, known, isFresh: firstNew == 0) }
        if !starts.isEmpty { starts.mark(&batch, dropped: droppedLines, known) }
        for (line, exemplar) in lineExemplars {
            let id = known.lines[Int(line)].id
            if id < KnownLines.reserved { exemplars.append(SeriesExemplar(.id(SeriesID(rawValue: id)), exemplar)) }
        }
        if !toldStarts.isEmpty { StartLines.mark(&batch, toldStarts, known) }
        if !ids.isEmpty { known.trim() }
        clearUnknown()
    }

    /// The scrape was taken. Returns the series that the last scrape showed and this one does not: they are stale now.
    package func finish() -> [SeriesID] {
        precondition(isBegun && unknown.isEmpty, "a scrape is finished once, after its series were resolved")
        isBegun = false
        var missing = carried
        if retained != lastTracked { missing += missingLines() }
        carried = []
        if !missing.isEmpty {
            // Another spelling of the same labels, or the same series after an epoch change, keeps it going.
            let shown = Set(trackedNow())
            missing.removeAll { shown.contains($0) }
        }
        lastTracked = tracked
        if known.count - seen > max(1000, seen) {
            known.keep(generation: generation)
            starts.forget()
            hasForgotten = true
        }
        firstNew = known.count
        return missing
    }

    /// The scrape failed, or the target is gone: what was begun is forgotten. Returns the series that the last scrape
    /// showed: they are all stale now.
    package func fail() -> [SeriesID] {
        var missing = carried
        if isBegun {
            for index in 0..<firstNew {
                let line = known.lines[index]
                let isOld = line.mark >> 2 == generation - 1 && line.mark & 1 == 1
                let isSeen = line.mark >> 2 == generation && line.mark & 2 == 2
                if isOld || isSeen { missing.append(SeriesID(rawValue: line.id)) }
            }
            known.truncate(to: firstNew)
        } else {
            missing += trackedNow()
        }
        isBegun = false
        carried = []
        lastTracked = 0
        tracked = 0
        // No line bears the mark of the scrape before the next one.
        generation += 1
        counts = Counts()
        newMetadata = []
        exemplars = []
        clearUnknown()
        return missing
    }

    /// What TYPE, HELP and UNIT lines said in the scrape that was finished last.
    package var shownMetadata: [MetricMetadata] {
        var facts: [MetricMetadata] = []
        for index in 0..<known.count {
            let line = known.lines[index]
            guard line.mark >> 2 == generation, line.id == KnownLines.typeLine || line.id == KnownLines.metadataLine
            else { continue }
            var reader = ExpositionReader(known.text(of: index), as: format)
            // The line was read before, so it can be read.
            if let kind = try? reader.next(), let fact = reader.metadata(kind) { facts.append(fact) }
        }
        return facts
    }

    /// How many series and lines of metadata are known.
    package var knownCount: Int { known.count }

    private func clearUnknown() {
        unknown = []
        emptyLabels = [:]
        unknownLines = []
        waiting = []
        repeated = []
        startLines = []
        toldStarts = []
        droppedLines = []
        lineExemplars = []
    }

    /// The series of this generation whose end is to be marked.
    private func trackedNow() -> [SeriesID] {
        var ids: [SeriesID] = []
        for index in 0..<known.count {
            let line = known.lines[index]
            if line.mark >> 2 == generation, line.mark & 1 == 1 { ids.append(SeriesID(rawValue: line.id)) }
        }
        return ids
    }

    /// The series that the last scrape tracked and this one did not.
    private func missingLines() -> [SeriesID] {
        var ids: [SeriesID] = []
        for index in 0..<firstNew {
            let line = known.lines[index]
            let isGone = line.mark >> 2 == generation - 1 && line.mark & 1 == 1
            let isUntracked = line.mark >> 2 == generation && line.mark & 3 == 2
            if isGone || isUntracked { ids.append(SeriesID(rawValue: line.id)) }
        }
        return ids
    }
}
