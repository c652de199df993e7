import Sources
import Streams
import TestKit
import Testing

extension ProtobufWriter {
    mutating func signed(_ field: UInt64, _ value: Int64) { number(field, value << 1 ^ value >> 63) }

    mutating func packed(_ field: UInt64, signed values: [Int64]) {
        block(
            field,
            ProtobufWriter.message { for value in values { $0.varint(UInt64(bitPattern: value << 1 ^ value >> 63)) } })
    }

    mutating func packed(_ field: UInt64, _ values: [Double]) {
        block(field, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
    }

    mutating func span(_ field: UInt64, _ offset: Int64, _ length: Int64) {
        block(
            field,
            ProtobufWriter.message {
                $0.signed(1, offset)
                $0.number(2, length)
            })
    }
}

@Suite struct RemoteHistogramTests {
    /// The histogram of client_golang's tests, with whole numbers.
    static func whole(_ change: (inout ProtobufWriter) -> Void = { _ in }) -> [UInt8] {
        ProtobufWriter.message {
            $0.number(1, 12)
            $0.double(3, 18.4)
            $0.signed(4, 1)
            $0.double(5, 0.001)
            $0.number(6, 2)
            $0.span(8, 0, 1)
            $0.packed(9, signed: [1])
            $0.span(11, -1, 2)
            $0.span(11, 1, 2)
            $0.packed(12, signed: [1, 1, -1, 4])
            $0.number(14, 2)
            $0.number(15, 9000)
            change(&$0)
        }
    }

    /// With floats, and numbers that are not packed.
    static func floats(_ change: (inout ProtobufWriter) -> Void = { _ in }) -> [UInt8] {
        ProtobufWriter.message {
            $0.double(2, 3.5)
            $0.double(3, -0.5)
            $0.signed(4, -53)
            $0.span(11, 0, 2)
            $0.double(13, 1.5)
            $0.double(13, 2)
            $0.number(14, 3)
            $0.number(15, 9000)
            $0.packed(16, [0.25, 5])
            change(&$0)
        }
    }

    private let cache = SeriesCache(secret: HashSecret(low: 5, high: 6))

    private func decode(_ histogram: [UInt8]) throws -> SampleBatch {
        let message = WriteRequest(series: [
            .init(labels: [("__name__", "h")], samples: [], histograms: [histogram])
        ]).message
        var batch = try message.withUnsafeBytes { try RemoteWriteDecoder(cache: cache).decode(message: $0) }.batch
        batch.resolve(batch.unknown.map { _ in SeriesID(rawValue: 3) }, into: cache)
        return batch.samples
    }

    @Test func `whole numbers are told by their differences`() throws {
        let batch = try decode(Self.whole())
        #expect(batch.timestamps == [9000] && batch.values.map(\.isHistogram) == [true])
        #expect(
            batch.histograms == [
                NativeHistogram(
                    schema: 1, counterResetHint: .notReset, count: 12, sum: 18.4, zeroCount: 2, zeroThreshold: 0.001,
                    positive: .init(
                        spans: [.init(offset: -1, length: 2), .init(offset: 1, length: 2)], counts: [1, 2, 1, 5]),
                    negative: .init(spans: [.init(offset: 0, length: 1)], counts: [1]))
            ])
    }

    @Test func `floats are told as they are, with bounds of their own`() throws {
        #expect(
            try decode(Self.floats()).histograms == [
                NativeHistogram(
                    schema: NativeHistogram.customSchema, counterResetHint: .gauge, count: 3.5, sum: -0.5,
                    positive: .init(spans: [.init(offset: 0, length: 2)], counts: [1.5, 2]), customBounds: [0.25, 5])
            ])
    }

    @Test func `a histogram whose sum is the stale marker ends its series`() throws {
        let batch = try decode(ProtobufWriter.message { $0.double(3, StaleMarker.value) })
        #expect(batch.values.map(\.isStaleMarker) == [true])
        #expect(batch.histograms.isEmpty)
    }

    @Test func `bits that stand for a histogram inside of Tocsin are a NaN when they come from outside`() throws {
        let batch = try decode(Self.floats { $0.double(3, .histogram(at: 0)) })
        #expect(batch.histograms[0].sum.bitPattern == StaleMarker.normalNaN.bitPattern)
    }

    @Test(
        arguments: [0xFFFA_0000_0000_0007, 0xFFF2_0000_0000_0007, 0x7FFA_0000_0000_0007, 0xFFF0_0000_0000_0002]
            as [UInt64])
    func `no NaN from outside is one that a sign or a sum turns into a histogram or a gap`(bits: UInt64) throws {
        let value = Double(bitPattern: bits)
        let message = WriteRequest(series: [.init(labels: [("__name__", "x")], samples: [(value, Int64(1))])])
        var request = try message.message.withUnsafeBytes { try RemoteWriteDecoder(cache: cache).decode(message: $0) }
        request.batch.resolve([SeriesID(rawValue: 4)], into: cache)
        #expect(request.batch.samples.values[0].bitPattern == StaleMarker.normalNaN.bitPattern)
    }

    @Test func `counts of whole numbers need not add up when the sum is not a number`() throws {
        let batch = try decode(
            Self.whole {
                $0.number(1, 100)
                $0.double(3, .nan)
            })
        #expect(batch.histograms[0].count == 100)
    }

    static let refused: [(String, [UInt8], String)] = [
        (
            "a zero bucket without a width", whole { $0.double(5, .nan) },
            "a histogram has a zero bucket whose width is not a number"
        ),
        (
            "counts that do not add up", whole { $0.number(1, 14) },
            "a histogram's buckets hold 12 observations, but its count is 14"
        ),
        (
            "more counts than spans", whole { $0.packed(12, signed: [1]) },
            "the positive side of a histogram has spans for 4 buckets, but 5 counts"
        ),
        ("a negative bucket", whole { $0.packed(12, signed: [-99]) }, "a histogram has a bucket with a negative count"),
        (
            "a bucket beyond 64 bits", whole { $0.packed(12, signed: [.max, .max]) },
            "a histogram has a bucket with a negative count"
        ),
        (
            "a negative float bucket",
            floats {
                $0.packed(13, [-1])
                $0.span(11, 0, 1)
            },
            "the positive side of a histogram has a bucket with a negative count"
        ),
        (
            "a span that goes back", whole { $0.span(11, -2, 0) },
            "the positive side of a histogram has a span with the offset -2"
        ),
        (
            "a span out of reach", whole { $0.span(8, 2_147_483_647, 0) },
            "the negative side of a histogram has a bucket that no value can be in"
        ),
        ("an unknown schema", whole { $0.signed(4, 9) }, "a histogram has the schema 9; -4 to 8 and -53 are known"),
        ("a schema beyond 32 bits", whole { $0.signed(4, 1 << 40) }, "a number does not fit into 32 bits"),
        (
            "an exponential schema with bounds", whole { $0.packed(16, [1]) },
            "a histogram with an exponential schema has custom bounds"
        ),
        ("a zero bucket beside bounds", floats { $0.double(7, 1) }, "a histogram with custom bounds has a zero bucket"),
        (
            "negative buckets beside bounds", floats { $0.span(8, 0, 0) },
            "a histogram with custom bounds has negative buckets"
        ),
        ("bounds that fall", floats { $0.packed(16, [4]) }, "a histogram's custom bounds do not rise"),
        (
            "a bound that is infinite", floats { $0.packed(16, [.infinity]) },
            "a histogram has a custom bound that is not finite"
        ),
        (
            "too few bounds", floats { $0.span(11, 1, 2) },
            "a histogram has 2 custom bounds, too few for its 5 buckets"
        ),
        (
            "a number of the wrong kind", floats { $0.number(3, 1) },
            "field 3 of a histogram has the unexpected wire type 0"
        ),
        (
            "endless buckets", floats { $0.packed(13, Array(repeating: 1, count: 65_536)) },
            "a histogram has more than 65536 buckets"
        ),
    ]

    @Test("A histogram that does not hold together is refused with its reason", arguments: refused)
    func refuses(_ example: (String, [UInt8], String)) {
        #expect(throws: RemoteWriteError(kind: .malformed, reason: example.2)) { try decode(example.1) }
    }

    @Test func `a histogram that was changed on its way never traps`() {
        var generator = SeededGenerator(seed: 12)
        for round in 0..<4000 {
            var changed = round % 2 == 0 ? Self.whole() : Self.floats()
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            _ = try? decode(changed)
        }
    }
}
