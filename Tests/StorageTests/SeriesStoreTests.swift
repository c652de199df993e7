import Streams
import TestKit
import Testing

@testable import Storage

@Suite struct SeriesStoreTests {
    private let up: LabelSet = ["__name__": "up", "job": "node"]

    @Test func `what was submitted is readable, oldest first`() async throws {
        let fixture = StoreFixture()
        let report = try await fixture.append([(up, 0, 1), (up, 10, 2), (up, 20, 3)])
        #expect(report == AppendReport())
        #expect(
            try await fixture.select([Matcher("job", equals: "node")]) == [
                up: [Point(0, 1), Point(10, 2), Point(20, 3)]
            ])
    }

    @Test func `an old sample, a second value and a time out of bounds are refused and counted`() async throws {
        let fixture = StoreFixture()
        let report = try await fixture.append([
            (up, 100, 1), (up, 100, 1), (up, 100, 2), (up, 50, 1), (up, -25 * 3_600_000, 1), (up, 601_000, 1),
        ])
        #expect(report.duplicate == 1)
        #expect(report.outOfOrder == 1)
        #expect(report.outOfBounds == 2)
        #expect(try await fixture.select([]) == [up: [Point(100, 1)]])
        let text = fixture.telemetry.exposition()
        #expect(text.contains(#"tocsin_ingest_samples_total{source="test"} 1"#))
        #expect(text.contains(#"tocsin_ingest_refused_total{reason="out_of_bounds", source="test"} 2"#))
        #expect(text.contains("tocsin_storage_series 1\n"))
    }

    @Test func `a stale marker keeps its bits, and two of them at one time are one`() async throws {
        let fixture = StoreFixture()
        try await fixture.append([(up, 0, 1), (up, 1, StaleMarker.value), (up, 1, StaleMarker.value)])
        #expect(try await fixture.select([])[up]?.last == Point(1, StaleMarker.value))
    }

    @Test func `a long series is sealed into chunks and read across them`() async throws {
        let fixture = StoreFixture()
        for round in 0..<10 {
            try await fixture.append((0..<100).map { (up, Int64(round * 100 + $0) * 500, Double($0 % 7)) })
        }
        let all = (0..<1000).map { Point(Int64($0) * 500, Double($0 % 100 % 7)) }
        #expect(try await fixture.select([])[up] == all)
        #expect(try await fixture.select([], from: 49_750, to: 400_000)[up] == Array(all[100...800]))
        #expect(try await fixture.select([], from: 0, to: 123_456, newestOnly: true)[up] == [all[246]])
        #expect(try await fixture.select([], from: 123_001, to: 123_456, newestOnly: true).isEmpty)
        #expect(fixture.store.counts.chunks >= 8)
        #expect(fixture.store.counts.samplesAppended == 1000)
    }

    @Test func `a request for more samples than it may have fails`() async throws {
        let fixture = StoreFixture()
        try await fixture.append((0..<50).map { (["i": "\($0)"], 0, 1) })
        let now = fixture.clock.now()
        let exact = SelectRequest(matchers: [], start: now, end: now, samplesMax: 50)
        #expect(try await fixture.store.select(exact).count == 50)
        await #expect(throws: ReadError.tooManySamples(limit: 49)) {
            _ = try await fixture.store.select(SelectRequest(matchers: [], start: now, end: now, samplesMax: 49))
        }
    }

    @Test func `only the series that changed are read when asked for`() async throws {
        let fixture = StoreFixture()
        try await fixture.append((0..<50).map { (["i": "\($0)"], 0, Double($0)) })
        let ids = try await fixture.ingest.intern([["i": "7"], ["i": "31"]])
        let now = fixture.clock.now()
        let block = try await fixture.store.select(
            SelectRequest(
                matchers: [try Matcher("i", .notEqual, "31")], start: now, end: now,
                only: [ids[0], ids[1], SeriesID(rawValue: 0xFFFF_FFFF)]))
        #expect(block.labels == [["i": "7"]])
        #expect(block.ids == [ids[0]])
    }

    @Test func `names, values and series are listed in order`() async throws {
        let fixture = StoreFixture()
        try await fixture.append([
            (["__name__": "a", "x": "2"], 0, 1), (["__name__": "a", "x": "1"], 0, 1),
            (["__name__": "b", "y": "1"], 5, 1),
        ])
        let store = fixture.store
        let a = [Matcher(LabelSet.metricName, equals: "a")]
        #expect(await store.labelNames() == ["__name__", "x", "y"])
        #expect(await store.labelNames(matching: [a]) == ["__name__", "x"])
        #expect(await store.labelValues("x") == ["1", "2"])
        #expect(await store.labelValues("y", matching: [a]) == [])
        #expect(await store.series(matching: [a]) == [["__name__": "a", "x": "1"], ["__name__": "a", "x": "2"]])
        #expect(
            await store.series(matching: [], from: fixture.clock.now() + .milliseconds(1)) == [
                ["__name__": "b", "y": "1"]
            ])
    }

    @Test func `an empty label set is a series like any other`() async throws {
        let fixture = StoreFixture()
        try await fixture.append([(LabelSet(), 0, 1)])
        #expect(try await fixture.select([]) == [LabelSet(): [Point(0, 1)]])
    }
}
