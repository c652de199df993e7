import Streams

/// One reading of one `prometheus.WriteRequest` (Prometheus's prompb/remote.proto and prompb/types.proto).
struct RemoteWritePass {
    private(set) var request = RemoteWriteDecoder.Request()
    private(set) var isTooLarge = false
    private let cache: SeriesCache
    private let context: UInt64
    private let samplesMax: Int
    private var count = 0

    /// Keeps keys of encoded labels apart from keys of text.
    private static let contextMark: UInt64 = 0x5257_3130_0000_0000

    init(cache: SeriesCache, context: UInt64, samplesMax: Int) {
        self.cache = cache
        self.context = context ^ Self.contextMark
        self.samplesMax = samplesMax
    }

    mutating func read(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag.field {
            case 1: try readSeries(try reader.block(tag))
            case 3: try readMetadata(try reader.block(tag))
            default: try reader.skip(tag.wire)
            }
        }
    }

    private mutating func add() throws(ProtobufReader.Malformed) {
        count += 1
        if count > samplesMax {
            isTooLarge = true
            throw ProtobufReader.Malformed(
                reason: "the request has more than \(samplesMax) samples and series")
        }
    }

    private mutating func readSeries(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        try add()
        // Labels come first in what every sender writes; then their bytes are one block, and the key.
        var reader = ProtobufReader(message)
        var labelsEnd = 0
        while !reader.isAtEnd {
            let tag = try reader.tag()
            guard tag.field == 1 else { break }
            _ = try reader.block(tag)
            labelsEnd = reader.position
        }
        let labels = UnsafeRawBufferPointer(rebasing: message[..<labelsEnd])
        let rest = UnsafeRawBufferPointer(rebasing: message[labelsEnd...])
        if try hasLabels(rest) {
            // Legal, though nobody does it: gather the labels.
            let gathered = try gather(message)
            try gathered.withUnsafeBytesOfBlock { bytes throws(ProtobufReader.Malformed) in
                try readSamples(rest, of: bytes)
            }
        } else {
            try readSamples(rest, of: labels)
        }
    }

    private func hasLabels(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> Bool {
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if tag.field == 1 { return true }
            try reader.skip(tag.wire)
        }
        return false
    }

    /// The label fields of a series, one behind the other.
    private func gather(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> [UInt8] {
        var result: [UInt8] = []
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let start = reader.position
            let tag = try reader.tag()
            try reader.skip(tag.wire)
            if tag.field == 1 { result += message[start..<reader.position] }
        }
        return result
    }

    private mutating func readSamples(
        _ message: UnsafeRawBufferPointer, of labels: UnsafeRawBufferPointer
    ) throws(ProtobufReader.Malformed) {
        let key = SeriesKey(labels, context: context, secret: cache.secret)
        var hasSamples = false
        /// What exemplars belong to; most series have none.
        var series: LabelSet?
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag.field {
            case 2:
                try add()
                hasSamples = true
                let (value, timestamp) = try Self.sample(try reader.block(tag))
                if !request.batch.append(key, at: timestamp, value, cache) {
                    request.batch.append(key, try Self.labelSet(labels), at: timestamp, value)
                }
            case 3:
                try add()
                let exemplar = try Self.exemplar(try reader.block(tag))
                let owner: LabelSet
                if let series { owner = series } else { owner = try Self.labelSet(labels) }
                series = owner
                request.batch.exemplars.append(SeriesExemplar(.labels(owner), exemplar))
            case 4:
                hasSamples = true
                try readHistogram(try reader.block(tag), key, labels)
            default: try reader.skip(tag.wire)
            }
        }
        if !hasSamples { _ = try Self.labelSet(labels) }
    }

    private mutating func readHistogram(
        _ message: UnsafeRawBufferPointer, _ key: SeriesKey, _ labels: UnsafeRawBufferPointer
    ) throws(ProtobufReader.Malformed) {
        let read = try RemoteHistogram(message)
        if read.isStale {
            try add()
            if !request.batch.append(key, at: read.timestamp, StaleMarker.value, cache) {
                request.batch.append(key, try Self.labelSet(labels), at: read.timestamp, StaleMarker.value)
            }
            return
        }
        // A histogram takes the room of many samples.
        for _ in 0...(read.histogram.byteCount / 128) { try add() }
        if !request.batch.append(key, at: read.timestamp, read.histogram, cache) {
            request.batch.append(key, try Self.labelSet(labels), at: read.timestamp, read.histogram)
        }
    }

    private static func sample(
        _ message: UnsafeRawBufferPointer
    ) throws(ProtobufReader.Malformed) -> (value: Double, timestamp: Int64) {
        var value = 0.0
        var timestamp: Int64 = 0
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 1): value = try reader.double()
            case (2, 0): timestamp = Int64(bitPattern: try reader.varint())
            case (1, _), (2, _):
                throw ProtobufReader.Malformed(
                    reason: "field \(tag.field) of a sample has the unexpected wire type \(tag.wire)")
            default: try reader.skip(tag.wire)
            }
        }
        return (value, timestamp)
    }

    private static func exemplar(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> Exemplar {
        var labels: [Label] = []
        var value = 0.0
        var timestamp: Int64 = 0
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, _): labels.append(try label(try reader.block(tag)))
            case (2, 1): value = Double(bitPattern: try reader.fixed64())
            case (3, 0): timestamp = Int64(bitPattern: try reader.varint())
            case (2, _), (3, _):
                throw ProtobufReader.Malformed(
                    reason: "field \(tag.field) of an exemplar has the unexpected wire type \(tag.wire)")
            default: try reader.skip(tag.wire)
            }
        }
        return Exemplar(LabelSet(labels), value: value, timestamp: timestamp, hasOwnTime: timestamp != 0)
    }

    /// - Throws: for what Prometheus's storage would not take: no name, a name twice, an empty label name, no UTF-8.
    private static func labelSet(
        _ message: UnsafeRawBufferPointer
    ) throws(ProtobufReader.Malformed) -> LabelSet {
        var labels: [Label] = []
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            guard tag.field == 1 else {
                try reader.skip(tag.wire)
                continue
            }
            let label = try label(try reader.block(tag))
            if label.name.isEmpty { throw ProtobufReader.Malformed(reason: "a label has an empty name") }
            labels.append(label)
        }
        labels.sort { $0.name < $1.name }
        for index in labels.indices.dropFirst() where labels[index - 1].name == labels[index].name {
            throw ProtobufReader.Malformed(reason: "the label name \(excerpt(labels[index].name)) is not unique")
        }
        labels.removeAll { $0.value.isEmpty }
        let set = LabelSet(sorted: labels)
        if set.name == nil { throw ProtobufReader.Malformed(reason: "a series has no \(LabelSet.metricName) label") }
        return set
    }

    static func label(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> Label {
        var label = Label("", "")
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag.field {
            case 1: label.name = try reader.text(tag)
            case 2: label.value = try reader.text(tag)
            default: try reader.skip(tag.wire)
            }
        }
        return label
    }

    private mutating func readMetadata(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var family = ""
        var facts: [MetricMetadata.Fact] = []
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag.field {
            case 1 where tag.wire == 0: facts.append(.type(Self.type(try reader.varint())))
            case 2: family = try reader.text(tag)
            case 4: facts.append(.help(try reader.text(tag)))
            case 5: facts.append(.unit(try reader.text(tag)))
            default: try reader.skip(tag.wire)
            }
        }
        try add()
        request.batch.metadata += facts.map { MetricMetadata(family: family, fact: $0) }
    }

    private static func type(_ number: UInt64) -> MetricType {
        switch number {
        case 1: .counter
        case 2: .gauge
        case 3: .histogram
        case 4: .gaugeHistogram
        case 5: .summary
        case 6: .info
        case 7: .stateSet
        default: .unknown
        }
    }
}

extension [UInt8] {
    func withUnsafeBytesOfBlock<Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: self)
        try body(UnsafeRawBufferPointer(copy))
    }
}
