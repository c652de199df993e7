import Streams
import TestKit
import Testing

@testable import Storage

/// A sample with all that it can have, equal by bits.
private struct RichPoint: Equatable, CustomStringConvertible {
    var time: Int64
    var bits: UInt64 = 0
    var histogram: NativeHistogram?
    var start: Int64 = 0

    static func == (left: Self, right: Self) -> Bool {
        left.time == right.time && left.start == right.start && left.isSameValue(as: right)
    }
    /// A sum may be a NaN; nothing else of a histogram here is.
    func isSameValue(as other: Self) -> Bool {
        guard bits == other.bits, histogram?.sum.bitPattern == other.histogram?.sum.bitPattern else { return false }
        var (left, right) = (histogram, other.histogram)
        left?.sum = 0
        right?.sum = 0
        return left == right
    }
    var description: String {
        let value = histogram.map { "histogram of \($0.count), sum \($0.sum)" } ?? "\(Double(bitPattern: bits))"
        return "\(value)@\(time) since \(start)"
    }
}

/// Series as arrays of samples.
private struct RichModel {
    var points: [Int: [RichPoint]] = [:]
    var newest: [Int: RichPoint] = [:]

    mutating func append(_ point: RichPoint, to series: Int, _ report: inout AppendReport) {
        if let newest = newest[series], point.time <= newest.time {
            if point.time < newest.time {
                report.outOfOrder += 1
            } else if !point.isSameValue(as: newest) {
                report.duplicate += 1
            }
            return
        }
        var point = point
        // The end of a series says nothing about its start.
        if point.bits == StaleMarker.bits, point.start == 0 { point.start = newest[series]?.start ?? 0 }
        points[series, default: []].append(point)
        newest[series] = point
    }
}

@Suite struct RichModelTests {
    private static let retention: Int64 = 1_800_000

    private func buckets(_ isWhole: Bool, _ generator: inout SeededGenerator) -> NativeHistogram.Buckets {
        var buckets = NativeHistogram.Buckets()
        for place in 0..<Int.random(in: 0...2, using: &generator) {
            buckets.spans.append(NativeHistogram.Span(offset: Int32(place * 3 - 1), length: UInt32(2 + place)))
            for _ in 0..<(2 + place) {
                let whole = Double(Int.random(in: 0...1_000_000, using: &generator))
                buckets.counts.append(isWhole ? whole : whole / 7)
            }
        }
        return buckets
    }

    private func histogram(_ generator: inout SeededGenerator) -> NativeHistogram {
        let isWhole = Bool.random(using: &generator)
        let isCustom = Int.random(in: 0..<4, using: &generator) == 0
        let sums: [Double] = [0, -0.0, 1.5, .nan, .infinity]
        var result = NativeHistogram()
        result.counterResetHint = NativeHistogram.CounterResetHint(rawValue: .random(in: 0...3, using: &generator))!
        result.count = isWhole ? 9_007_199_254_740_992 : 0.5
        result.sum = sums.randomElement(using: &generator)!
        result.zeroCount = isWhole ? 3 : 1e300
        result.zeroThreshold = Bool.random(using: &generator) ? 0 : 1e-128
        result.positive = buckets(isWhole, &generator)
        if isCustom {
            result.schema = NativeHistogram.customSchema
            result.customBounds = [0.5, 1, 2]
        } else {
            result.schema = Int32.random(in: -4...8, using: &generator)
            result.negative = buckets(isWhole, &generator)
        }
        return result
    }

    @Test("Histograms and starts come out as they went in", arguments: 0..<8)
    func agrees(_ seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var settings = StorageSettings()
        settings.retention = .milliseconds(Self.retention)
        settings.gracePeriod = .seconds(1_000_000)
        // Some stores are so small that chunks are dropped early.
        let isSmall = seed % 4 == 3
        if isSmall { settings.memoryBytesMax = 230_000 }
        let fixture = StoreFixture(settings, shards: isSmall ? 1 : Int.random(in: 1...3, using: &generator))
        var model = RichModel()
        // How much of a series is floats, histograms, starts.
        let kinds: [[Int]] = (0..<8).map { _ in
            [Int.random(in: 1...3, using: &generator)] + (0..<2).map { _ in Int.random(in: 0...4, using: &generator) }
        }
        var shapes = (0..<4).map { _ in histogram(&generator) }
        for _ in 0..<200 {
            shapes[Int.random(in: 0..<4, using: &generator)] = histogram(&generator)
            var batch = SampleBatch()
            var more = SampleBatch()
            var expected = AppendReport()
            let ids = try await fixture.ingest.intern((0..<8).map { ["__name__": "s", "i": "\($0)"] })
            for place in 0..<Int.random(in: 1...60, using: &generator) {
                let series = Int.random(in: 0..<8, using: &generator)
                var point = RichPoint(time: fixture.now + Int64(place) + Int64.random(in: -1...0, using: &generator))
                let total = kinds[series].reduce(1, +)
                if Int.random(in: 0..<total, using: &generator) < kinds[series][1] {
                    var one = shapes.randomElement(using: &generator)!
                    if Bool.random(using: &generator) { one.sum = Double(place) }
                    point.histogram = one
                } else {
                    let values: [Double] = [1, StaleMarker.value, .nan, Double(place)]
                    point.bits = values.randomElement(using: &generator)!.bitPattern
                }
                if Int.random(in: 0..<total, using: &generator) < kinds[series][2] {
                    point.start = [0, 1000, fixture.now - 5].randomElement(using: &generator)!
                }
                let isLater = Bool.random(using: &generator) || more.count > 0
                func add(_ batch: inout SampleBatch) {
                    if let histogram = point.histogram {
                        batch.append(ids[series], at: point.time, histogram)
                    } else {
                        batch.append(ids[series], at: point.time, Double(bitPattern: point.bits))
                    }
                    if point.start != 0 { batch.setStart(point.start) }
                }
                isLater ? add(&more) : add(&batch)
                model.append(point, to: series, &expected)
            }
            batch.append(contentsOf: more)
            #expect(try await fixture.ingest.submit(batch, from: "model", patience: .zero) == expected)
            fixture.clock.advance(by: .milliseconds(Int64.random(in: 30...30_000, using: &generator)))
            if Int.random(in: 0..<4, using: &generator) == 0 { await fixture.store.trim(at: fixture.clock.now()) }
            try await compare(fixture, model, &generator, hasRoom: !isSmall)
        }
        #expect(fixture.store.counts.chunksEvicted > 0 || !isSmall)
        // Everything goes in the end, but what a repeated sample would be compared with.
        fixture.clock.advance(by: .milliseconds(2 * Self.retention))
        await fixture.store.trim(at: fixture.clock.now())
        #expect(try await fixture.select([]) == [:])
    }

    private func compare(
        _ fixture: StoreFixture, _ model: RichModel, _ generator: inout SeededGenerator, hasRoom: Bool
    ) async throws {
        let start = fixture.now - Int64.random(in: 0...Self.retention, using: &generator)
        let end = start + Int64.random(in: 0...Self.retention, using: &generator)
        let newestOnly = Bool.random(using: &generator)
        let block = try await fixture.store.select(
            SelectRequest(
                matchers: [], start: Timestamp(milliseconds: start), end: Timestamp(milliseconds: end),
                newestOnly: newestOnly))
        #expect(block.starts.isEmpty || block.starts.count == block.timestamps.count)
        var found: [Int: [RichPoint]] = [:]
        for index in 0..<block.count {
            found[Int(block.labels[index]["i"] ?? "") ?? -1] = (block.bounds[index]..<block.bounds[index + 1]).map {
                let value = block.values[$0]
                return RichPoint(
                    time: block.timestamps[$0], bits: value.isHistogram ? 0 : value.bitPattern,
                    histogram: value.isHistogram ? block.histograms[value.histogramPlace] : nil,
                    start: block.starts.isEmpty ? 0 : block.starts[$0])
            }
        }
        for series in 0..<8 {
            var expected = (model.points[series] ?? []).filter { $0.time >= start && $0.time <= end }
            if newestOnly { expected = expected.suffix(1) }
            let found = found[series] ?? []
            // A store that is short of memory drops the oldest.
            if !hasRoom { expected = expected.suffix(found.count) }
            #expect(found == expected, "series \(series) from \(start) to \(end)")
        }
    }
}
