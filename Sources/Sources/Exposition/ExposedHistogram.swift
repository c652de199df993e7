import Streams

/// One `io.prometheus.client.Histogram` (client_model's metrics.proto): classic buckets, a native histogram, or both.
struct ExposedHistogram {
    struct Bucket {
        var bound = 0.0
        var count = 0.0
    }

    private(set) var native = NativeHistogram()
    private(set) var buckets: [Bucket] = []
    /// Milliseconds; 0 is not known.
    private(set) var start: Int64 = 0
    private(set) var exemplars = 0
    private var isFloat = false
    private var positiveDeltas: [Int64] = []
    private var negativeDeltas: [Int64] = []

    var count: Double { native.count }
    var sum: Double { native.sum }
    /// One without any observation has an empty span to show what it is.
    var isNative: Bool {
        !native.positive.spans.isEmpty || !native.negative.spans.isEmpty || native.zeroThreshold > 0
            || native.zeroCount > 0
    }

    init(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(message)
        while !reader.isAtEnd { try read(try reader.tag(), &reader) }
    }

    private mutating func read(
        _ tag: ProtobufReader.Tag, _ reader: inout ProtobufReader
    ) throws(ProtobufReader.Malformed) {
        switch (tag.field, tag.wire) {
        // A float form that is not used may be there as 0.
        case (1, 0): native.count = max(native.count, Double(try reader.varint()))
        case (4, 1): takeFloat(try reader.double(), \.count)
        case (2, 1): native.sum = try reader.double()
        case (3, 2): try readBucket(try reader.block())
        case (5, 0): native.schema = try reader.signed32()
        case (6, 1): native.zeroThreshold = try reader.double()
        case (7, 0): native.zeroCount = max(native.zeroCount, Double(try reader.varint()))
        case (8, 1): takeFloat(try reader.double(), \.zeroCount)
        case (9, 2): try reader.appendSpan(to: &native.negative.spans)
        case (10, 0), (10, 2): try reader.appendSigned(tag, to: &negativeDeltas)
        case (11, 1), (11, 2): try reader.appendDoubles(tag, to: &native.negative.counts)
        case (12, 2): try reader.appendSpan(to: &native.positive.spans)
        case (13, 0), (13, 2): try reader.appendSigned(tag, to: &positiveDeltas)
        case (14, 1), (14, 2): try reader.appendDoubles(tag, to: &native.positive.counts)
        case (15, 2): start = try reader.timestamp()
        case (16, 2):
            exemplars += 1
            try reader.skip(tag.wire)
        case (1...16, _):
            throw ProtobufReader.Malformed(
                reason: "field \(tag.field) of a histogram has the unexpected wire type \(tag.wire)")
        default: try reader.skip(tag.wire)
        }
    }

    private mutating func takeFloat(_ value: Double, _ place: WritableKeyPath<NativeHistogram, Double>) {
        guard value > 0 else { return }
        native[keyPath: place] = value
        isFloat = true
    }

    private mutating func readBucket(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        if buckets.count >= NativeHistogram.bucketsMax {
            throw ProtobufReader.Malformed(reason: "a histogram has more than \(NativeHistogram.bucketsMax) buckets")
        }
        var bucket = Bucket()
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 0): bucket.count = max(bucket.count, Double(try reader.varint()))
            case (2, 1): bucket.bound = try reader.double()
            case (4, 1): bucket.count = max(bucket.count, try reader.double())
            case (3, 2):
                exemplars += 1
                try reader.skip(tag.wire)
            default: try reader.skip(tag.wire)
            }
        }
        buckets.append(bucket)
    }

    /// The native histogram, its counts as they are.
    /// - Throws: for what storage would not take.
    func checkedNative(isGauge: Bool) throws(ProtobufReader.Malformed) -> NativeHistogram {
        var result = native
        if isGauge { result.counterResetHint = .gauge }
        if !isFloat {
            result.positive.counts = try RemoteHistogram.counts(positiveDeltas)
            result.negative.counts = try RemoteHistogram.counts(negativeDeltas)
        }
        if let problem = result.problem(isWhole: !isFloat) { throw ProtobufReader.Malformed(reason: problem) }
        return result
    }
}

extension ProtobufReader {
    /// A `google.protobuf.Timestamp` in milliseconds; 0 where it is no time.
    mutating func timestamp() throws(Malformed) -> Int64 {
        var reader = ProtobufReader(try block())
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 0): seconds = Int64(bitPattern: try reader.varint())
            case (2, 0): nanoseconds = Int64(bitPattern: try reader.varint())
            default: try reader.skip(tag.wire)
            }
        }
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let (sum, overflowed) = milliseconds.addingReportingOverflow(nanoseconds / 1_000_000)
        return overflow || overflowed ? 0 : max(0, sum)
    }
}
