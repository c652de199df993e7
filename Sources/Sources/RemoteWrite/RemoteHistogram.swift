import Streams

/// One `prometheus.Histogram` (Prometheus's prompb/types.proto): of whole numbers, then its buckets are told by their
/// differences, or of floats.
struct RemoteHistogram {
    private(set) var histogram = NativeHistogram()
    private(set) var timestamp: Int64 = 0
    private var isFloat = false
    private var positiveDeltas: [Int64] = []
    private var negativeDeltas: [Int64] = []

    /// Whether it marks the end of its series.
    var isStale: Bool { histogram.sum.isStaleMarker }

    /// - Throws: also for what storage would not take.
    init(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(message)
        while !reader.isAtEnd { try read(try reader.tag(), &reader) }
        if isStale { return }
        if !isFloat {
            histogram.positive.counts = try Self.counts(positiveDeltas)
            histogram.negative.counts = try Self.counts(negativeDeltas)
        }
        if let problem = histogram.problem(isWhole: !isFloat) { throw ProtobufReader.Malformed(reason: problem) }
    }

    private mutating func read(
        _ tag: ProtobufReader.Tag, _ reader: inout ProtobufReader
    ) throws(ProtobufReader.Malformed) {
        switch (tag.field, tag.wire) {
        case (1, 0): histogram.count = Double(try reader.varint())
        case (2, 1):
            histogram.count = try reader.double()
            isFloat = true
        case (3, 1): histogram.sum = try reader.double()
        case (4, 0): histogram.schema = try reader.signed32()
        case (5, 1): histogram.zeroThreshold = try reader.double()
        case (6, 0): histogram.zeroCount = Double(try reader.varint())
        case (7, 1): histogram.zeroCount = try reader.double()
        case (8, 2): try reader.appendSpan(to: &histogram.negative.spans)
        case (9, 0), (9, 2): try reader.appendSigned(tag, to: &negativeDeltas)
        case (10, 1), (10, 2): try reader.appendDoubles(tag, to: &histogram.negative.counts)
        case (11, 2): try reader.appendSpan(to: &histogram.positive.spans)
        case (12, 0), (12, 2): try reader.appendSigned(tag, to: &positiveDeltas)
        case (13, 1), (13, 2): try reader.appendDoubles(tag, to: &histogram.positive.counts)
        case (14, 0):
            let number = UInt8(truncatingIfNeeded: min(try reader.varint(), 255))
            histogram.counterResetHint = NativeHistogram.CounterResetHint(rawValue: number) ?? .unknown
        case (15, 0): timestamp = Int64(bitPattern: try reader.varint())
        case (16, 1), (16, 2): try reader.appendDoubles(tag, to: &histogram.customBounds)
        case (1...16, _):
            throw ProtobufReader.Malformed(
                reason: "field \(tag.field) of a histogram has the unexpected wire type \(tag.wire)")
        default: try reader.skip(tag.wire)
        }
    }

    /// Counts from their differences.
    static func counts(_ deltas: [Int64]) throws(ProtobufReader.Malformed) -> [Double] {
        var counts: [Double] = []
        counts.reserveCapacity(deltas.count)
        var last: Int64 = 0
        for delta in deltas {
            let (next, overflow) = last.addingReportingOverflow(delta)
            guard !overflow, next >= 0 else {
                throw ProtobufReader.Malformed(reason: "a histogram has a bucket with a negative count")
            }
            counts.append(Double(next))
            last = next
        }
        return counts
    }
}

extension ProtobufReader {
    /// A double. Of the NaNs only the stale marker says more than that: all others become the usual one, since arithmetic
    /// would make of some the bits that stand for a histogram in Tocsin.
    @inline(__always)
    mutating func double() throws(Malformed) -> Double {
        let value = Double(bitPattern: try fixed64())
        return value.isNaN && !value.isStaleMarker ? StaleMarker.normalNaN : value
    }

    /// A zigzag number of 32 bits.
    mutating func signed32() throws(Malformed) -> Int32 {
        let number = try signed64()
        guard let small = Int32(exactly: number) else { throw Malformed(reason: "a number does not fit into 32 bits") }
        return small
    }

    /// A zigzag number.
    mutating func signed64() throws(Malformed) -> Int64 {
        let number = try varint()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    /// A repeated field of zigzag numbers, packed or not.
    mutating func appendSigned(_ tag: Tag, to numbers: inout [Int64]) throws(Malformed) {
        guard tag.wire == 2 else {
            try Self.checkRoom(numbers.count)
            numbers.append(try signed64())
            return
        }
        var packed = ProtobufReader(try block())
        while !packed.isAtEnd {
            try Self.checkRoom(numbers.count)
            numbers.append(try packed.signed64())
        }
    }

    /// A repeated field of doubles, packed or not.
    mutating func appendDoubles(_ tag: Tag, to numbers: inout [Double]) throws(Malformed) {
        guard tag.wire == 2 else {
            try Self.checkRoom(numbers.count)
            numbers.append(try double())
            return
        }
        var packed = ProtobufReader(try block())
        while !packed.isAtEnd {
            try Self.checkRoom(numbers.count)
            numbers.append(try packed.double())
        }
    }

    /// A bucket span: `sint32 offset = 1; uint32 length = 2`.
    mutating func appendSpan(to spans: inout [NativeHistogram.Span]) throws(Malformed) {
        try Self.checkRoom(spans.count)
        var reader = ProtobufReader(try block())
        var span = NativeHistogram.Span(offset: 0, length: 0)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 0): span.offset = try reader.signed32()
            case (2, 0): span.length = UInt32(clamping: try reader.varint())
            default: try reader.skip(tag.wire)
            }
        }
        spans.append(span)
    }

    private static func checkRoom(_ count: Int) throws(Malformed) {
        if count >= NativeHistogram.bucketsMax {
            throw Malformed(reason: "a histogram has more than \(NativeHistogram.bucketsMax) buckets")
        }
    }
}
