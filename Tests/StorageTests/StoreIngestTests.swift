import Streams
import TestKit
import Testing

@testable import Storage

@Suite struct StoreIngestTests {
    private func batch(_ ids: [SeriesID], at time: Int64, _ value: Double = 1) -> SampleBatch {
        var batch = SampleBatch()
        for id in ids { batch.append(id, at: time, value) }
        return batch
    }

    @Test func `the same labels have the same id for ever, and ids come in the order asked`() async throws {
        let fixture = StoreFixture()
        let sets = (0..<100).map { LabelSet([Label("i", "\($0)")]) }
        let ids = try await fixture.ingest.intern(sets)
        #expect(Set(ids).count == 100)
        #expect(try await fixture.ingest.intern(sets.reversed()) == ids.reversed())
        #expect(try await fixture.ingest.intern([sets[3], sets[3]]) == [ids[3], ids[3]])
    }

    @Test("Series spread evenly over the shards", arguments: [1, 2, 3, 7, 64])
    func spread(_ shards: Int) async throws {
        let fixture = StoreFixture(shards: shards)
        let ids = try await fixture.ingest.intern((0..<6400).map { ["__name__": "up", "i": "\($0)"] })
        var counts = [Int](repeating: 0, count: shards)
        for id in ids { counts[fixture.store.layout.shard(of: id)] += 1 }
        let even = 6400 / shards
        #expect(counts.allSatisfy { $0 > even / 2 && $0 < even * 2 })
    }

    @Test func `a full graph refuses a batch and nothing of it is applied`() async throws {
        let fixture = StoreFixture()
        let ids = try await fixture.ingest.intern((0..<20).map { ["i": "\($0)"] })
        fixture.listener.isFull = true
        await #expect(throws: IngestError.saturated(retryAfter: .seconds(1))) {
            try await fixture.ingest.submit(batch(ids, at: fixture.now), from: "test", patience: .zero)
        }
        #expect(try await fixture.select([]).isEmpty)
        #expect(fixture.store.counts.samplesAppended == 0)
        #expect(fixture.listener.touched.isEmpty)
        #expect(
            fixture.telemetry.exposition().contains(
                #"tocsin_ingest_refused_total{reason="saturated", source="test"} 20"#))
        fixture.listener.isFull = false
        try await fixture.ingest.submit(batch(ids, at: fixture.now), from: "test", patience: .zero)
        #expect(try await fixture.select([]).count == 20)
    }

    @Test func `the graph hears which series touched which interest, once the samples are readable`() async throws {
        let fixture = StoreFixture()
        await fixture.store.setInterests(NamedInterests(byName: ["a": [1, 2], "b": [2]]))
        let ids = try await fixture.ingest.intern([
            ["__name__": "a"], ["__name__": "b"], ["__name__": "c"], ["__name__": "a", "x": "y"],
        ])
        try await fixture.ingest.submit(batch(ids + ids, at: fixture.now), from: "test", patience: .zero)
        let heard = fixture.listener.touched
        func sorted(_ ids: [SeriesID]) -> Touched.Series { .some(ids.sorted { $0.rawValue < $1.rawValue }) }
        #expect(heard.count == 1)
        #expect(heard[0].maxTimestamp == fixture.clock.now())
        #expect(
            heard[0].interests == [
                InterestID(rawValue: 1): sorted([ids[0], ids[3]]),
                InterestID(rawValue: 2): sorted([ids[0], ids[1], ids[3]]),
            ])
    }

    @Test func `a batch that stored nothing of interest is delivered all the same`() async throws {
        let fixture = StoreFixture()
        await fixture.store.setInterests(NamedInterests(byName: ["a": [1]]))
        let ids = try await fixture.ingest.intern([["__name__": "a"]])
        for _ in 0..<2 {
            try await fixture.ingest.submit(batch(ids, at: fixture.now), from: "test", patience: .zero)
        }
        #expect(fixture.listener.touched.map(\.interests.count) == [1, 0])
        #expect(fixture.listener.touched[1].maxTimestamp == .distantPast)
        #expect(fixture.listener.touched[0].sequence < fixture.listener.touched[1].sequence)
        #expect(fixture.listener.openReservations == 0)
    }

    @Test func `a reload gives known series their new interests`() async throws {
        let fixture = StoreFixture()
        await fixture.store.setInterests(NamedInterests(byName: ["a": [1]]))
        let ids = try await fixture.ingest.intern([["__name__": "a"], ["__name__": "b"]])
        for round in 2..<6 {
            await fixture.store.setInterests(NamedInterests(byName: ["b": [UInt32(round)]]))
            try await fixture.ingest.submit(batch(ids, at: fixture.now + Int64(round)), from: "test", patience: .zero)
            #expect(fixture.listener.touched.last?.interests == [InterestID(rawValue: UInt32(round)): .some([ids[1]])])
        }
        await fixture.store.setInterests(nil)
        try await fixture.ingest.submit(batch(ids, at: fixture.now + 10), from: "test", patience: .zero)
        #expect(fixture.listener.touched.last?.interests == [:])
    }

    @Test("Beyond the bound all series count as touched", arguments: [1, 2, 3, 4])
    func manyTouched(_ shards: Int) async throws {
        var settings = StorageSettings()
        settings.touchedSeriesMax = 10
        let fixture = StoreFixture(settings, shards: shards)
        await fixture.store.setInterests(NamedInterests(byName: ["a": [1]]))
        let ids = try await fixture.ingest.intern((0..<11).map { ["__name__": "a", "i": "\($0)"] })
        try await fixture.ingest.submit(batch(Array(ids[..<10]), at: fixture.now), from: "test", patience: .zero)
        try await fixture.ingest.submit(batch(ids, at: fixture.now + 1), from: "test", patience: .zero)
        let heard = fixture.listener.touched.compactMap { $0.interests[InterestID(rawValue: 1)] }
        #expect(heard == [.some(ids[..<10].sorted { $0.rawValue < $1.rawValue }), .all])
    }

    @Test func `a bound on series refuses all of a list or none`() async throws {
        var settings = StorageSettings()
        settings.seriesMax = 10
        let fixture = StoreFixture(settings)
        _ = try await fixture.ingest.intern((0..<8).map { ["i": "\($0)"] })
        await #expect(throws: IngestError.limit("the store has its 10 series already")) {
            _ = try await fixture.ingest.intern((6..<11).map { ["i": "\($0)"] })
        }
        #expect(fixture.store.counts.series == 8)
        _ = try await fixture.ingest.intern((6..<10).map { ["i": "\($0)"] })
        #expect(fixture.store.counts.series == 10)
        #expect(fixture.telemetry.exposition().contains(#"series_refused_total{reason="series_limit"} 3"#))
    }

    @Test func `a series with too many labels is refused`() async throws {
        let fixture = StoreFixture()
        let labels = LabelSet((0..<256).map { Label("l\($0)", "x") })
        await #expect(throws: IngestError.limit("a series may have 255 labels")) {
            _ = try await fixture.ingest.intern([["a": "b"], labels])
        }
        #expect(fixture.store.counts.series == 0)
    }

    @Test func `ids that were never given out are refused and counted`() async throws {
        let fixture = StoreFixture(shards: 3)
        _ = try await fixture.ingest.intern([["a": "b"]])
        let report = try await fixture.ingest.submit(
            batch([3, 1000, .max, .max - 1].map(SeriesID.init), at: fixture.now), from: "test", patience: .zero)
        #expect(report.unknownSeries == 4)
    }

    @Test func `after closing nothing is taken`() async throws {
        let fixture = StoreFixture()
        let ids = try await fixture.ingest.intern([["a": "b"]])
        fixture.ingest.close()
        await #expect(throws: IngestError.closed) { _ = try await fixture.ingest.intern([["a": "b"]]) }
        await #expect(throws: IngestError.closed) {
            try await fixture.ingest.submit(batch(ids, at: 0), from: "test", patience: .zero)
        }
    }

    @Test func `many sources at once lose nothing`() async throws {
        let fixture = StoreFixture(shards: 4)
        await fixture.store.setInterests(NamedInterests(byName: ["a": [1]]))
        let start = fixture.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in 0..<8 {
                group.addTask {
                    for round in 0..<30 {
                        let sets = (0..<200).map { series in
                            LabelSet([
                                Label("__name__", "a"), Label("shared", "\(series % 10)"),
                                Label("i", "\(source)/\(series)"),
                            ])
                        }
                        let ids = try await fixture.ingest.intern(sets + [["__name__": "a", "common": "\(round)"]])
                        let report = try await fixture.ingest.submit(
                            batch(Array(ids[..<200]), at: start + Int64(round), Double(round)), from: "\(source)",
                            patience: .zero)
                        #expect(report == AppendReport())
                    }
                }
                group.addTask {
                    for _ in 0..<10 {
                        _ = try await fixture.select([Matcher("shared", equals: "3")])
                        await fixture.store.trim(at: fixture.clock.now())
                        await fixture.store.setInterests(NamedInterests(byName: ["a": [2]]))
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try await fixture.select([try Matcher("i", .matches, ".+")])
        #expect(all.count == 1600)
        #expect(all.values.allSatisfy { $0.map(\.time) == Array(0..<30) })
        #expect(fixture.store.counts.samplesAppended == 8 * 30 * 200)
        #expect(fixture.listener.touched.count == 8 * 30)
        #expect(Set(fixture.listener.touched.map(\.sequence)).count == 8 * 30)
    }
}
