import Streams

/// Histograms in a snapshot: as they are in memory, each by its code, with the shape where it changes.
extension HistogramShape {
    func write(to writer: inout SnapshotWriter) {
        writer.add(signed: Int64(schema))
        writer.add(fixed: zeroThreshold.bitPattern)
        for spans in [positive, negative] {
            writer.add(number: spans.count)
            for span in spans {
                writer.add(signed: Int64(span.offset))
                writer.add(number: UInt64(span.length))
            }
        }
        writer.add(number: customBounds.count)
        for bound in customBounds { writer.add(fixed: bound.bitPattern) }
    }

    init(_ reader: inout SnapshotReader) throws(SnapshotDamage) {
        var histogram = NativeHistogram()
        guard let schema = Int32(exactly: try reader.signed()) else { throw SnapshotDamage() }
        histogram.schema = schema
        histogram.zeroThreshold = Double(bitPattern: try reader.fixed(UInt64.self))
        histogram.positive.spans = try Self.spans(&reader)
        histogram.negative.spans = try Self.spans(&reader)
        for _ in 0..<(try reader.count()) {
            histogram.customBounds.append(Double(bitPattern: try reader.fixed(UInt64.self)))
        }
        self.init(of: histogram)
    }

    private static func spans(_ reader: inout SnapshotReader) throws(SnapshotDamage) -> [NativeHistogram.Span] {
        var spans: [NativeHistogram.Span] = []
        for _ in 0..<(try reader.count()) {
            guard let offset = Int32(exactly: try reader.signed()), let length = UInt32(exactly: try reader.number())
            else { throw SnapshotDamage() }
            spans.append(NativeHistogram.Span(offset: offset, length: length))
        }
        return spans
    }

    fileprivate func same(_ other: HistogramShape) -> Bool {
        schema == other.schema && zeroThreshold.bitPattern == other.zeroThreshold.bitPattern
            && positive == other.positive && negative == other.negative
            && customBounds.elementsEqual(other.customBounds) { $0.bitPattern == $1.bitPattern }
    }

    private static func buckets(_ spans: [NativeHistogram.Span]) -> UInt64 {
        spans.reduce(0) { $0 + UInt64($1.length) }
    }

    /// Whether these bytes are a histogram of this shape, so that `HistogramCode.decode` can read them.
    fileprivate func fits(_ code: UnsafeRawBufferPointer) -> Bool {
        var reader = SnapshotReader(code)
        do throws(SnapshotDamage) {
            let isWhole = try reader.byte() & 1 == 1
            _ = try reader.fixed(UInt64.self)
            let (positive, negative) = (try reader.count(), try reader.count())
            guard UInt64(positive) == Self.buckets(self.positive), UInt64(negative) == Self.buckets(self.negative)
            else { return false }
            guard isWhole else { return reader.left == 8 * (2 + positive + negative) }
            _ = (try reader.number(), try reader.number())
            for count in [positive, negative] {
                var last: Int64 = 0
                for _ in 0..<count {
                    let (sum, isOver) = last.addingReportingOverflow(try reader.signed())
                    if isOver { return false }
                    last = sum
                }
            }
            return reader.left == 0
        } catch {
            return false
        }
    }
}

/// Writes the histograms of one part of a series.
struct SnapshotHistogramWriter {
    private var last: HistogramShape?

    mutating func add(_ code: UnsafeRawBufferPointer, _ shape: HistogramShape, to writer: inout SnapshotWriter) {
        if last?.same(shape) == true {
            writer.add(byte: 0)
        } else {
            writer.add(byte: 1)
            shape.write(to: &writer)
            last = shape
        }
        writer.add(run: code)
    }
}

/// Reads the histograms of one part of a series.
struct SnapshotHistogramReader {
    private var last: HistogramShape?

    mutating func next(_ reader: inout SnapshotReader) throws(SnapshotDamage) -> NativeHistogram {
        if try reader.byte() != 0 { last = try HistogramShape(&reader) }
        let code = try reader.run()
        guard let last, last.fits(code), let start = code.baseAddress else { throw SnapshotDamage() }
        return HistogramCode.decode(start.assumingMemoryBound(to: UInt8.self), last)
    }
}
