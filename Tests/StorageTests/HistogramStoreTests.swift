import Streams
import TestKit
import Testing

@testable import Storage

@Suite struct HistogramStoreTests {
    private func histogram(_ count: Double, buckets: Int = 4) -> NativeHistogram {
        NativeHistogram(
            schema: 3, count: count * Double(buckets), sum: count,
            positive: .init(
                spans: [.init(offset: 0, length: UInt32(buckets))], counts: Array(repeating: count, count: buckets)))
    }

    private func submit(_ fixture: StoreFixture, _ histograms: [(at: Int64, NativeHistogram)]) async throws
        -> AppendReport
    {
        let id = try await fixture.ingest.intern([["__name__": "h"]])[0]
        var batch = SampleBatch()
        for (time, histogram) in histograms { batch.append(id, at: fixture.now + time, histogram) }
        return try await fixture.ingest.submit(batch, from: "test", patience: .zero)
    }

    @Test func `the same histogram at the same time is no news, another one is a duplicate`() async throws {
        let fixture = StoreFixture()
        #expect(try await submit(fixture, [(0, histogram(1)), (0, histogram(1))]).refused == 0)
        #expect(try await submit(fixture, [(0, histogram(2))]).duplicate == 1)
        #expect(try await submit(fixture, [(0, histogram(1, buckets: 5))]).duplicate == 1)
        #expect(try await fixture.append([(["__name__": "h"], 0, 1)]).duplicate == 1)
        #expect(try await submit(fixture, [(-1, histogram(1))]).outOfOrder == 1)
    }

    @Test func `a histogram touches the interests of its series`() async throws {
        let fixture = StoreFixture()
        await fixture.store.setInterests(NamedInterests(byName: ["h": [7]]))
        _ = try await submit(fixture, [(0, histogram(1))])
        _ = try await submit(fixture, [(0, histogram(1))])
        #expect(fixture.listener.touched.map { $0.interests.keys.map(\.rawValue) } == [[7], []])
    }

    @Test func `a float that looks like a histogram's place is read as a NaN`() async throws {
        let fixture = StoreFixture()
        try await fixture.append([(["__name__": "x"], 0, .histogram(at: 3))])
        let found = try await fixture.select([])
        #expect(found[["__name__": "x"]] == [Point(0, StaleMarker.normalNaN)])
    }

    @Test func `histograms count as memory, and go first to last when it is short`() async throws {
        var settings = StorageSettings()
        settings.memoryBytesMax = 1_000_000
        let fixture = StoreFixture(settings, shards: 1)
        for step in 0..<4000 {
            var one = histogram(Double(step), buckets: 160)
            for bucket in 0..<160 { one.positive.counts[bucket] += Double((bucket * 7919 + step * 104_729) % 100_000) }
            _ = try await submit(fixture, [(Int64(step), one)])
            #expect(fixture.store.counts.bytes < 1_050_000)
        }
        #expect(fixture.store.counts.chunksEvicted > 0)
        let block = try await fixture.store.select(
            SelectRequest(matchers: [], start: .distantPast, end: .distantFuture))
        #expect(block.histograms.count > 1000)
        #expect(block.histograms.last?.sum == 3999)
        let places = block.values.map(\.histogramPlace)
        #expect(places == Array(0..<block.histograms.count))
    }

    @Test func `a retired series leaves nothing of its histograms and starts`() async throws {
        var settings = StorageSettings()
        settings.retention = .seconds(60)
        settings.gracePeriod = .seconds(1)
        let fixture = StoreFixture(settings, shards: 1)
        await fixture.store.trim(at: fixture.clock.now())
        let before = fixture.store.counts.bytes
        let ids = try await fixture.ingest.intern((0..<50).map { ["__name__": "h", "i": "\($0)"] })
        for step in 0..<300 {
            var batch = SampleBatch()
            for id in ids {
                batch.append(id, at: fixture.now + Int64(step), histogram(Double(step)))
                batch.setStart(Int64(1 + step / 7))
            }
            try await fixture.ingest.submit(batch, from: "test", patience: .zero)
        }
        #expect(fixture.store.counts.bytes > before + 50 * 300 * 16)
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(100))
            await fixture.store.trim(at: fixture.clock.now())
        }
        #expect(fixture.store.counts.series == 0)
        #expect(fixture.store.counts.bytes < before + 20_000)
    }

    @Test func `a histogram counts as the samples that fit in its place`() async throws {
        let fixture = StoreFixture(shards: 1)
        _ = try await submit(fixture, (0..<10).map { (Int64($0), histogram(1, buckets: 160)) })
        await #expect(throws: ReadError.tooManySamples(limit: 500)) {
            _ = try await fixture.store.select(
                SelectRequest(matchers: [], start: .distantPast, end: .distantFuture, samplesMax: 500))
        }
    }

    @Test func `numbers of histograms that go round stay in order`() {
        // What stands for a histogram has 32 bits for its number.
        #expect(Double.histogram(at: Int(UInt32.max)).histogramPlace == Int(UInt32.max))
        #expect(Double.histogram(at: Int(UInt32.max)).isHistogram)
        #expect(!Double.nan.isHistogram && !StaleMarker.value.isHistogram && !StaleMarker.normalNaN.isHistogram)
    }
}

@Suite struct SampleBatchTests {
    @Test func `batches are put together with their histograms and starts`() {
        var first = SampleBatch()
        first.append(SeriesID(rawValue: 1), at: 10, NativeHistogram(sum: 1))
        first.append(SeriesID(rawValue: 1), at: 11, 5)
        var second = SampleBatch()
        second.append(SeriesID(rawValue: 2), at: 20, NativeHistogram(sum: 2))
        second.append(SeriesID(rawValue: 2), at: 21, NativeHistogram(sum: 3))
        second.setStart(7)
        second.append(SeriesID(rawValue: 2), at: 22, 6)
        first.append(contentsOf: second)
        #expect(first.values.filter(\.isHistogram).map { first.histograms[$0.histogramPlace].sum } == [1, 2, 3])
        #expect(first.starts == [0, 0, 0, 7])
        #expect(first.byteCount > 5 * 20 + 3 * MemoryLayout<NativeHistogram>.stride)
        first.removeAll()
        #expect(first.byteCount == 0 && first.histograms.isEmpty && first.starts.isEmpty)
    }
}
