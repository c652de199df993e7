import Streams

/// What successive histograms of a series mostly share: which buckets there are.
struct HistogramShape {
    let schema: Int32
    let zeroThreshold: Double
    let positive: [NativeHistogram.Span]
    let negative: [NativeHistogram.Span]
    let customBounds: [Double]

    init(of histogram: NativeHistogram) {
        schema = histogram.schema
        zeroThreshold = histogram.zeroThreshold
        positive = histogram.positive.spans
        negative = histogram.negative.spans
        customBounds = histogram.customBounds
    }

    /// Its arrays' memory, about.
    var byteCount: Int {
        let arrays = [positive.count, negative.count, customBounds.count]
        return MemoryLayout<Self>.stride + arrays.reduce(0) { $0 + ($1 == 0 ? 0 : 32 + 8 * $1) }
    }

    /// By bits: a bound that is not a number is equal to itself.
    func isShape(of histogram: NativeHistogram) -> Bool {
        schema == histogram.schema && zeroThreshold.bitPattern == histogram.zeroThreshold.bitPattern
            && positive == histogram.positive.spans && negative == histogram.negative.spans
            && customBounds.elementsEqual(histogram.customBounds) { $0.bitPattern == $1.bitPattern }
    }
}

/// What differs from one histogram of a series to the next, as bytes: a head (bit 0: whole numbers; bits 1 and 2: the hint
/// on resets), the sum, how many buckets there are of each sign, and the counts: whole numbers as differences of
/// neighbours in as few bytes as they need, others in full.
enum HistogramCode {
    /// Counts beyond it are not told from their neighbours by a float anyway.
    private static let wholeMax = 9_007_199_254_740_992.0

    static func encode(_ histogram: NativeHistogram, into bytes: inout FlatBuffer<UInt8>) {
        bytes.removeAll()
        let isWhole =
            isWhole(histogram.count) && isWhole(histogram.zeroCount) && histogram.positive.counts.allSatisfy(isWhole)
            && histogram.negative.counts.allSatisfy(isWhole)
        bytes.append(histogram.counterResetHint.rawValue << 1 | (isWhole ? 1 : 0))
        bytes.append(fixed: histogram.sum)
        bytes.append(varint: UInt64(histogram.positive.counts.count))
        bytes.append(varint: UInt64(histogram.negative.counts.count))
        if isWhole {
            bytes.append(varint: UInt64(histogram.count))
            bytes.append(varint: UInt64(histogram.zeroCount))
            append(whole: histogram.positive.counts, to: &bytes)
            append(whole: histogram.negative.counts, to: &bytes)
        } else {
            bytes.append(fixed: histogram.count)
            bytes.append(fixed: histogram.zeroCount)
            for count in histogram.positive.counts { bytes.append(fixed: count) }
            for count in histogram.negative.counts { bytes.append(fixed: count) }
        }
    }

    private static func isWhole(_ count: Double) -> Bool {
        count.sign == .plus && count <= wholeMax && count.rounded(.towardZero) == count
    }

    private static func append(whole counts: [Double], to bytes: inout FlatBuffer<UInt8>) {
        var last: Int64 = 0
        for count in counts {
            let whole = Int64(count)
            let change = whole - last
            bytes.append(varint: UInt64(bitPattern: change << 1 ^ change >> 63))
            last = whole
        }
    }

    /// - Parameter bytes: what `encode` wrote.
    static func decode(_ bytes: UnsafePointer<UInt8>, _ shape: HistogramShape) -> NativeHistogram {
        var reader = Reader(bytes: bytes)
        let head = reader.byte()
        var histogram = NativeHistogram(
            schema: shape.schema, counterResetHint: NativeHistogram.CounterResetHint(rawValue: head >> 1) ?? .unknown,
            zeroThreshold: shape.zeroThreshold, customBounds: shape.customBounds)
        histogram.sum = reader.fixed()
        let positive = Int(reader.varint())
        let negative = Int(reader.varint())
        let isWhole = head & 1 == 1
        histogram.count = isWhole ? Double(reader.varint()) : reader.fixed()
        histogram.zeroCount = isWhole ? Double(reader.varint()) : reader.fixed()
        histogram.positive = NativeHistogram.Buckets(
            spans: shape.positive, counts: reader.counts(positive, isWhole: isWhole))
        histogram.negative = NativeHistogram.Buckets(
            spans: shape.negative, counts: reader.counts(negative, isWhole: isWhole))
        return histogram
    }

    private struct Reader {
        var bytes: UnsafePointer<UInt8>

        mutating func byte() -> UInt8 {
            defer { bytes += 1 }
            return bytes.pointee
        }

        mutating func fixed() -> Double {
            defer { bytes += 8 }
            return Double(bitPattern: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
        }

        mutating func varint() -> UInt64 {
            var result: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                let next = byte()
                result |= UInt64(next & 0x7F) << shift
                if next < 0x80 { return result }
                shift += 7
            }
        }

        mutating func counts(_ count: Int, isWhole: Bool) -> [Double] {
            var last: Int64 = 0
            return [Double](unsafeUninitializedCapacity: count) { counts, filled in
                for index in 0..<count {
                    if isWhole {
                        let change = varint()
                        last += Int64(bitPattern: change >> 1) ^ -Int64(bitPattern: change & 1)
                        counts[index] = Double(last)
                    } else {
                        counts[index] = fixed()
                    }
                }
                filled = count
            }
        }
    }
}

extension FlatBuffer<UInt8> {
    fileprivate mutating func append(fixed value: Double) {
        withUnsafeBytes(of: value.bitPattern) { append($0.assumingMemoryBound(to: UInt8.self)) }
    }

    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
