import Streams
import TestKit
import Testing

@testable import Storage

@Suite struct CollectionTests {
    private let series: LabelSet = ["__name__": "up", "job": "node"]

    private var settings: StorageSettings {
        var settings = StorageSettings()
        settings.retention = .seconds(600)
        settings.gracePeriod = .seconds(60)
        return settings
    }

    @Test func `an empty series is retired one period after the epoch changed, and its id is not reused`() async throws
    {
        let fixture = StoreFixture(settings)
        try await fixture.append([(series, 0, 1)])
        let first = try await fixture.ingest.intern([series])
        let epoch = fixture.ingest.epoch
        fixture.clock.advance(by: .seconds(601))
        #expect(await fixture.store.trim(at: fixture.clock.now()) == .init(marked: 1, retired: 0))
        #expect(fixture.ingest.epoch != epoch)
        #expect(try await fixture.select([]).isEmpty)
        #expect(fixture.store.counts.series == 1)
        fixture.clock.advance(by: .seconds(59))
        #expect(await fixture.store.trim(at: fixture.clock.now()) == .init(marked: 0, retired: 0))
        fixture.clock.advance(by: .seconds(1))
        #expect(await fixture.store.trim(at: fixture.clock.now()) == .init(marked: 0, retired: 1))
        #expect(fixture.store.counts.series == 0)
        #expect(await fixture.store.labelNames().isEmpty)
        let second = try await fixture.ingest.intern([series])
        #expect(second != first)
        var batch = SampleBatch()
        batch.append(first[0], at: fixture.now, 1)
        #expect(try await fixture.ingest.submit(batch, from: "test", patience: .zero).unknownSeries == 1)
    }

    @Test("Who is asked for while dying lives on", arguments: [true, false])
    func revived(byAppend: Bool) async throws {
        let fixture = StoreFixture(settings)
        let ids = try await fixture.ingest.intern([series])
        await fixture.store.trim(at: fixture.clock.now())
        fixture.clock.advance(by: .seconds(60))
        if byAppend {
            var batch = SampleBatch()
            batch.append(ids[0], at: fixture.now, 1)
            try await fixture.ingest.submit(batch, from: "test", patience: .zero)
        } else {
            #expect(try await fixture.ingest.intern([series]) == ids)
        }
        let trimmed = await fixture.store.trim(at: fixture.clock.now())
        #expect(trimmed == .init(marked: byAppend ? 0 : 1, retired: 0))
        #expect(try await fixture.ingest.intern([series]) == ids)
    }

    @Test func `a retired series makes room for another`() async throws {
        var settings = settings
        settings.seriesMax = 5
        let fixture = StoreFixture(settings)
        for round in 0..<20 {
            _ = try await fixture.ingest.intern((0..<5).map { ["round": "\(round)", "i": "\($0)"] })
            await fixture.store.trim(at: fixture.clock.now())
            fixture.clock.advance(by: .seconds(60))
            #expect(await fixture.store.trim(at: fixture.clock.now()).retired == 5)
        }
        #expect(fixture.store.counts.series == 0)
    }

    @Test func `selections are right after others took over the places of the dead`() async throws {
        let fixture = StoreFixture(settings, shards: 2)
        for round in 0..<8 {
            let shift = Int64(round) * 10
            try await fixture.append(
                (0..<300).map { (["round": "\(round)", "i": "\($0 % 30)", "j": "\($0)"], shift, Double($0)) })
            let matchers = [Matcher("i", equals: "7"), try Matcher("round", .notEqual, "x")]
            #expect(try await fixture.select(matchers, from: 0).count == 10)
            #expect(try await fixture.select([try Matcher("j", .matches, "1.")]).count == 10)
            fixture.clock.advance(by: .seconds(601))
            await fixture.store.trim(at: fixture.clock.now())
            fixture.clock.advance(by: .seconds(60))
            #expect(await fixture.store.trim(at: fixture.clock.now()).retired == 300)
            #expect(await fixture.store.labelValues("j").isEmpty)
        }
    }

    @Test func `a long list of series loses the few that are dead and no other`() async throws {
        let fixture = StoreFixture(settings, shards: 2)
        var generator = SeededGenerator(seed: 3)
        var living = Set(0..<2000)
        func labels(_ series: Int) -> LabelSet { ["__name__": "up", "i": "\(series)", "odd": "\(series % 2)"] }
        try await fixture.append(living.map { (labels($0), 0, 0) })
        for _ in 0..<30 {
            for _ in 0..<Int.random(in: 0...60, using: &generator) {
                living.remove(living.randomElement(using: &generator)!)
            }
            fixture.clock.advance(by: .seconds(300))
            try await fixture.append(living.map { (labels($0), 0, 0) })
            await fixture.store.trim(at: fixture.clock.now())
        }
        for _ in 0..<4 {
            fixture.clock.advance(by: .seconds(300))
            try await fixture.append(living.map { (labels($0), 0, 0) })
            await fixture.store.trim(at: fixture.clock.now())
        }
        #expect(fixture.store.counts.series == living.count)
        #expect(Set(try await fixture.select([Matcher("__name__", equals: "up")]).keys) == Set(living.map(labels)))
        let odd = try await fixture.select([Matcher("odd", equals: "1"), try Matcher("i", .matches, ".*3")])
        #expect(Set(odd.keys) == Set(living.filter { $0 % 10 == 3 }.map(labels)))
    }

    @Test func `chunks past retention go and newer ones stay`() async throws {
        let fixture = StoreFixture(settings)
        for _ in 0..<20 {
            try await fixture.append((0..<60).map { (series, $0 * 1000, Double($0)) })
            fixture.clock.advance(by: .seconds(60))
        }
        let before = fixture.store.counts.chunks
        await fixture.store.trim(at: fixture.clock.now())
        #expect(fixture.store.counts.chunks < before)
        let kept = try await fixture.select([], from: -600_000)[series]
        #expect(kept?.count == 600)
    }

    @Test func `when memory is short the oldest chunks go first`() async throws {
        var settings = StorageSettings()
        settings.memoryBytesMax = 700_000
        let fixture = StoreFixture(settings, shards: 1)
        var generator = SeededGenerator(seed: 1)
        for minute in 0..<40 {
            for _ in 0..<2 {
                let now = Int64.random(in: 0..<10, using: &generator)
                try await fixture.append(
                    (0..<50).flatMap { series in
                        (0..<30).map {
                            (["i": "\(series)"], Int64($0) * 1000 + now, Double.random(in: 0...1, using: &generator))
                        }
                    })
                fixture.clock.advance(by: .seconds(30))
            }
            #expect(fixture.store.counts.bytes <= settings.memoryBytesMax, "minute \(minute)")
        }
        #expect(fixture.store.counts.chunksEvicted > 0)
        let kept = try await fixture.select([Matcher("i", equals: "7")])
        #expect(kept.values.first?.last.map { $0.time > -31_000 } == true)
        #expect(kept.values.first.map { $0.count > 200 } == true)
    }

    @Test func `when memory is short and no chunk is left, batches and new series are refused until a trim makes room`()
        async throws
    {
        var settings = settings
        settings.memoryBytesMax = 250_000
        let fixture = StoreFixture(settings, shards: 1)
        let sets = (0..<2000).map { LabelSet([Label("i", "\($0)")]) }
        let report = try await fixture.append(sets.map { ($0, 0, 1) })
        #expect(report == AppendReport())
        await #expect(throws: IngestError.limit("the store has used its 250000 bytes of memory")) {
            _ = try await fixture.ingest.intern([["new": "series"]])
        }
        await #expect(throws: IngestError.limit("the store has used its 250000 bytes of memory")) {
            try await fixture.append([(sets[0], 1, 1)])
        }
        for _ in 0..<2 {
            fixture.clock.advance(by: .seconds(601))
            await fixture.store.trim(at: fixture.clock.now())
        }
        #expect(try await fixture.append([(sets[0], 1, 1)]) == AppendReport())
    }
}
