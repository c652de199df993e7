import CScan
import Glibc
import Streams

/// One reading of one body: the loop that every scraped sample goes through.
///
/// Per line, the cheapest way that holds: compare with the line that followed last time; else scan to the end of the
/// labels and look the bytes up; else read the line in full, which also finds what is wrong with it.
struct ScrapePass: ~Copyable {
    struct Waiting {
        var unknown: Int32
        var timestamp: Int64
        var value: Double
    }

    private let base: UnsafePointer<UInt8>
    private let count: Int
    private let format: ExpositionFormat
    let settings: ScrapeParser.Settings
    private let time: Int64
    private let generation: UInt32
    var reader: ExpositionReader
    let firstNew: Int

    var counts = ScrapeParser.Counts()
    var unknown: [LabelSet] = []
    /// The names with empty values of the unknown series that have such, by the series' place.
    var emptyLabels: [Int: [String]] = [:]
    /// For each unknown series, its line.
    var unknownLines: [UInt32] = []
    private(set) var waiting: [Waiting] = []
    var metadata: [MetricMetadata] = []
    private(set) var startLines: [StartLines.NewLine] = []
    /// Where that is asked for: the lines of dropped series, with their values.
    private(set) var dropped: [(line: UInt32, value: Double)] = []
    private let watchesDropped: Bool
    /// With the lines of their series.
    private(set) var exemplars: [(line: UInt32, exemplar: Exemplar)] = []
    /// What protobuf says of starts, by the lines of the series.
    var toldStarts: [(line: UInt32, start: Int64)] = []
    /// Lines that were tracked by the last scrape and by this one.
    private(set) var retained = 0
    private(set) var tracked = 0
    /// How many of the known lines were seen.
    private(set) var seen = 0

    private var previous = KnownLines.none
    private var typeLine: Int?
    private var readTypeLine: Int?
    private var isAtEnd = false

    private let staged: UnsafeMutablePointer<SeriesID>
    private let stagedTimes: UnsafeMutablePointer<Int64>
    private let stagedValues: UnsafeMutablePointer<Double>
    private var stagedCount = 0
    private static let stageCapacity = 512

    /// - Parameter body: ends with a line break, and has 64 readable bytes behind it.
    init(
        _ body: UnsafeRawBufferPointer, as format: ExpositionFormat, settings: ScrapeParser.Settings, time: Int64,
        generation: UInt32, firstNew: Int, watchesDropped: Bool = false
    ) {
        base = body.baseAddress!.assumingMemoryBound(to: UInt8.self)
        count = body.count
        self.format = format
        self.settings = settings
        self.time = time
        self.generation = generation
        self.firstNew = firstNew
        self.watchesDropped = watchesDropped
        reader = ExpositionReader(body, as: format)
        staged = .allocate(capacity: Self.stageCapacity)
        stagedTimes = .allocate(capacity: Self.stageCapacity)
        stagedValues = .allocate(capacity: Self.stageCapacity)
    }

    deinit {
        staged.deallocate()
        stagedTimes.deallocate()
        stagedValues.deallocate()
    }

    mutating func run(_ known: inout KnownLines, into batch: inout SampleBatch) throws(ExpositionError) {
        var offset = 0
        var predicted = known.first
        while offset < count, !isAtEnd {
            if Int(predicted) < known.count {
                let line = known.lines + Int(predicted)
                let length = Int(line.pointee.length)
                if length < count &- offset,
                    memcmp(base + offset, known.bytes + Int(line.pointee.offset), length) == 0
                {
                    if let end = take(predicted, line, at: offset, &batch) {
                        link(predicted, &known)
                        predicted = line.pointee.next
                        offset = end
                        continue
                    }
                }
            }
            offset = try takeUnpredicted(offset, &known, &batch)
            predicted = previous == KnownLines.none ? known.first : known.lines[Int(previous)].next
        }
        if format == .openMetrics, !isAtEnd {
            reader.start = count
            throw reader.failure(.eof, "the text does not end with \"# EOF\"")
        }
        flush(&batch)
    }

    @inline(__always)
    private mutating func link(_ index: UInt32, _ known: inout KnownLines) {
        if previous == KnownLines.none {
            known.first = index
        } else if known.lines[Int(previous)].next != index {
            known.lines[Int(previous)].next = index
        }
        previous = index
    }

    /// Takes the line at `offset`, which begins with the bytes of a known line. Returns where the next line begins; nil
    /// when what follows is not of the plain kind: one blank, a number, maybe one blank and a timestamp.
    @inline(__always)
    private mutating func take(
        _ index: UInt32, _ line: UnsafeMutablePointer<KnownLines.Line>, at offset: Int, _ batch: inout SampleBatch
    ) -> Int? {
        let id = line.pointee.id
        var place = base + (offset &+ Int(line.pointee.length))
        if id == KnownLines.typeLine || id == KnownLines.metadataLine {
            if id == KnownLines.typeLine { typeLine = offset }
            see(line)
            return place - base
        }
        guard let tail = PlainTail.scan(&place, format) else { return nil }
        record(index, line, tail.value, tail.timestamp, &batch)
        return place - base + 1
    }

    /// Marks a line of metadata as shown.
    @inline(__always)
    mutating func see(_ line: UnsafeMutablePointer<KnownLines.Line>) {
        if line.pointee.mark &>> 2 != generation { seen &+= 1 }
        line.pointee.mark = generation &<< 2
    }

    @inline(__always)
    mutating func record(
        _ index: UInt32, _ line: UnsafeMutablePointer<KnownLines.Line>, _ value: Double, _ timestamp: Int64?,
        _ batch: inout SampleBatch
    ) {
        counts.scraped &+= 1
        let id = line.pointee.id
        let mark = line.pointee.mark
        let explicit = settings.honorTimestamps ? timestamp : nil
        let isRepeated = mark &>> 2 == generation
        if !isRepeated {
            seen &+= 1
            let was = mark &>> 2 == generation &- 1 ? mark & 1 : 0
            let now: UInt32 =
                id != KnownLines.dropped && (explicit == nil || settings.trackTimestampsStaleness) ? 1 : 0
            line.pointee.mark = generation &<< 2 | was &<< 1 | now
            retained &+= Int(was & now)
            tracked &+= Int(now)
        }
        if id == KnownLines.dropped {
            if watchesDropped { dropped.append((index, value)) }
            return
        }
        if id == KnownLines.pending {
            // Whether relabelling keeps it, and so how it counts, is known when it is resolved.
            if !isRepeated || explicit != nil {
                let place = Int32(truncatingIfNeeded: unknownPlace(of: index))
                waiting.append(Waiting(unknown: place, timestamp: explicit ?? time, value: value))
            } else {
                repeated.append(index)
            }
            return
        }
        counts.afterRelabelling &+= 1
        if isRepeated, explicit == nil {
            counts.duplicates &+= 1
            return
        }
        staged[stagedCount] = SeriesID(rawValue: id)
        stagedTimes[stagedCount] = explicit ?? time
        stagedValues[stagedCount] = value
        stagedCount &+= 1
        if stagedCount == Self.stageCapacity { flush(&batch) }
    }

    /// Lines of unknown series that came again without a timestamp.
    private(set) var repeated: [UInt32] = []

    /// The lines that this pass added, by their place behind `firstNew`; -1 for metadata.
    var unknownPlaces: [Int32] = []

    private func unknownPlace(of index: UInt32) -> Int { Int(unknownPlaces[Int(index) - firstNew]) }

    func unknownIndex(of line: UInt32) -> Int { unknownPlace(of: line) }

    mutating func flush(_ batch: inout SampleBatch) {
        batch.append(
            UnsafeBufferPointer(start: staged, count: stagedCount),
            at: UnsafeBufferPointer(start: stagedTimes, count: stagedCount),
            UnsafeBufferPointer(start: stagedValues, count: stagedCount))
        stagedCount = 0
    }

    // MARK: Lines that were not predicted

    @inline(never)
    private mutating func takeUnpredicted(
        _ offset: Int, _ known: inout KnownLines, _ batch: inout SampleBatch
    ) throws(ExpositionError) -> Int {
        let length = headLength(offset)
        if length > 0 {
            let head = UnsafeRawBufferPointer(start: base + offset, count: length)
            let index = known.find(head, hash: known.hash(head))
            if index != KnownLines.none, let end = take(index, known.lines + Int(index), at: offset, &batch) {
                link(index, &known)
                return end
            }
        }
        return try read(offset, &known, &batch)
    }

    /// How long the bytes are that would be known: of a comment its whole line, of a sample its series. 0: not to be told
    /// without reading it in full.
    private func headLength(_ offset: Int) -> Int {
        if base[offset] == 0x23 {
            guard let end = memchr(base + offset, 0x0A, count - offset) else { return 0 }
            return UnsafeRawPointer(end) - UnsafeRawPointer(base) - offset + 1
        }
        return seriesEnd(base, offset, count) - offset
    }

    /// Reads one entry in full.
    private mutating func read(
        _ offset: Int, _ known: inout KnownLines, _ batch: inout SampleBatch
    ) throws(ExpositionError) -> Int {
        reader.position = offset
        guard let kind = try reader.next() else {
            isAtEnd = true
            return count
        }
        if let pending = reader.pending { throw pending }
        switch kind {
        case .comment: break
        case .type, .help, .unit: try readMetadata(kind, &known)
        case .series: try readSeries(&known, &batch)
        }
        return reader.position
    }

    private mutating func readMetadata(
        _ kind: ExpositionReader.Kind, _ known: inout KnownLines
    ) throws(ExpositionError) {
        if kind == .type {
            typeLine = reader.start
            readTypeLine = reader.start
        }
        let text = UnsafeRawBufferPointer(start: base + reader.start, count: min(reader.position, count) - reader.start)
        let hash = known.hash(text)
        var index = known.find(text, hash: hash)
        if index == KnownLines.none {
            index = try insert(text, hash, kind == .type ? KnownLines.typeLine : KnownLines.metadataLine, &known)
            unknownPlaces.append(-1)
            if let fact = reader.metadata(kind) { metadata.append(fact) }
        }
        see(known.lines + Int(index))
        link(index, &known)
    }

    private mutating func readSeries(
        _ known: inout KnownLines, _ batch: inout SampleBatch
    ) throws(ExpositionError) {
        let text = UnsafeRawBufferPointer(start: base + reader.series.lowerBound, count: reader.series.count)
        let hash = known.hash(text)
        var index = known.find(text, hash: hash)
        if index == KnownLines.none {
            let labels = try readLabels()
            index = try insert(text, hash, KnownLines.pending, &known)
            unknownPlaces.append(Int32(unknown.count))
            let empty = reader.emptyLabelNames()
            if !empty.isEmpty { emptyLabels[unknown.count] = empty }
            unknown.append(labels)
            unknownLines.append(index)
            if let owner = reader.startOwner {
                let hash = owner.bytes.withUnsafeBytes { known.hash($0) }
                startLines.append(StartLines.NewLine(line: index, owner: hash, isCreated: owner.isCreated))
            }
        }
        if reader.hasExemplar { takeExemplar(index, known.lines[Int(index)].id) }
        record(index, known.lines + Int(index), reader.value, reader.timestamp, &batch)
        link(index, &known)
    }

    private mutating func takeExemplar(_ index: UInt32, _ id: UInt32) {
        counts.exemplars += 1
        if id == KnownLines.dropped { return }
        let sampleTime = settings.honorTimestamps ? reader.timestamp ?? time : time
        if let exemplar = reader.exemplar(at: sampleTime) { exemplars.append((index, exemplar)) }
    }

    /// The labels of the series just read, under the type that the text says at this place.
    private mutating func readLabels() throws(ExpositionError) -> LabelSet {
        if let typeLine, typeLine != readTypeLine {
            var line = ExpositionReader(UnsafeRawBufferPointer(start: base, count: count), as: format)
            line.position = typeLine
            if try line.next() == .type {
                reader.type = line.type
                reader.family = line.family
            }
            readTypeLine = typeLine
        }
        let labels = try reader.labelSet()
        if labels.name == nil { throw reader.failure(.metricName, "the series has no metric name") }
        return labels
    }

    private func insert(
        _ text: UnsafeRawBufferPointer, _ hash: UInt64, _ id: UInt32, _ known: inout KnownLines
    ) throws(ExpositionError) -> UInt32 {
        guard let index = known.insert(text, hash: hash, id: id) else {
            throw reader.failure(.limit, "the target's series take more than 4 GiB of text")
        }
        return index
    }
}

/// Where the series ends that begins at `offset`, by a scan that does not judge it; `offset` itself when the scan cannot
/// tell. 64 bytes behind `limit` must be readable.
func seriesEnd(_ base: UnsafePointer<UInt8>, _ offset: Int, _ limit: Int) -> Int {
    let name = tocsin_name_end(base, offset, limit)
    if name >= limit || base[name] != 0x7B { return name }
    let end = tocsin_labels_end(base, name + 1, limit)
    return end == 0 ? offset : end
}
