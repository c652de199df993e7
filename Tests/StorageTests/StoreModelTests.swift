import Streams
import TestKit
import Testing

@testable import Storage

/// The store as simply as it can be said: a dictionary of arrays.
private struct Model {
    struct Series {
        var points: [(time: Int64, bits: UInt64)] = []
        var newest: (time: Int64, bits: UInt64)?
    }

    var series: [LabelSet: Series] = [:]
    let retention: Int64

    mutating func append(_ labels: LabelSet, _ time: Int64, _ value: Double, now: Int64, _ report: inout AppendReport) {
        guard time >= now - retention, time <= now + 600_000 else {
            report.outOfBounds += 1
            return
        }
        if let newest = series[labels]?.newest {
            if time < newest.time {
                report.outOfOrder += 1
                return
            }
            if time == newest.time {
                if newest.bits != value.bitPattern { report.duplicate += 1 }
                return
            }
        }
        series[labels, default: Series()].points.append((time, value.bitPattern))
        series[labels]?.newest = (time, value.bitPattern)
    }

    /// Whole series go when their newest sample is too old. What else goes is the store's choice, so the test compares
    /// only what it must keep.
    mutating func trim(_ now: Int64) {
        for (labels, one) in series where (one.newest?.time ?? .min) < now - retention { series[labels]?.points = [] }
    }

    func select(_ matchers: [Matcher], _ start: Int64, _ end: Int64) -> [LabelSet: [Point]] {
        var result: [LabelSet: [Point]] = [:]
        for (labels, one) in series where matchers.accept(labels) {
            let points = one.points.filter { $0.time >= start && $0.time <= end }
            if !points.isEmpty { result[labels] = points.map { Point($0.time, Double(bitPattern: $0.bits)) } }
        }
        return result
    }
}

@Suite struct StoreModelTests {
    private static let names = ["up", "loss", "lag", "Ünï"]
    private static let jobs = ["a", "b", "ab", ""]

    private func labels(_ generator: inout SeededGenerator) -> LabelSet {
        LabelSet([
            Label("__name__", Self.names.randomElement(using: &generator)!),
            Label("job", Self.jobs.randomElement(using: &generator)!),
            Label("i", "\(Int.random(in: 0..<12, using: &generator))"),
        ])
    }

    private func matchers(_ generator: inout SeededGenerator) throws -> [Matcher] {
        let choices = [
            Matcher("__name__", equals: Self.names.randomElement(using: &generator)!),
            try Matcher("__name__", .matches, "u.*|l.*"),
            try Matcher("__name__", .notEqual, "up"),
            try Matcher("job", .equal, Self.jobs.randomElement(using: &generator)!),
            try Matcher("job", .notEqual, Self.jobs.randomElement(using: &generator)!),
            try Matcher("job", .matches, ["a.*", ".*", ".+", "b|", ""].randomElement(using: &generator)!),
            try Matcher("job", .notMatches, ["a.*", ".*", ".+", "b|"].randomElement(using: &generator)!),
            try Matcher("i", .matches, "[0-5]"),
            try Matcher("i", .notMatches, "1.?"),
            try Matcher("absent", .equal, ""),
            try Matcher("absent", .notEqual, ""),
            try Matcher("absent", .matches, ".*"),
        ]
        return (0..<Int.random(in: 0...3, using: &generator)).map { _ in choices.randomElement(using: &generator)! }
    }

    @Test("The store gives what a dictionary gives", arguments: 0..<12)
    func agrees(_ seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var settings = StorageSettings()
        settings.retention = .seconds(1800)
        settings.gracePeriod = .seconds(Int64.random(in: 0...120, using: &generator))
        let fixture = StoreFixture(settings, shards: Int.random(in: 1...5, using: &generator))
        var model = Model(retention: 1_800_000)
        let pool = (0..<Int.random(in: 3...60, using: &generator)).map { _ in labels(&generator) }
        for _ in 0..<250 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<6: try await append(pool, fixture, &model, &generator)
            case 6: fixture.clock.advance(by: .seconds(Int64.random(in: 0...240, using: &generator)))
            case 7:
                await fixture.store.trim(at: fixture.clock.now())
                model.trim(fixture.now)
            default: try await compare(fixture, model, &generator)
            }
        }
        #expect(fixture.listener.openReservations == 0)
        #expect(fixture.listener.unexpectedDeliveries == 0)
    }

    private func append(
        _ pool: [LabelSet], _ fixture: StoreFixture, _ model: inout Model, _ generator: inout SeededGenerator
    ) async throws {
        let count = Int.random(in: 1...80, using: &generator)
        var batch = SampleBatch()
        var expected = AppendReport()
        let labels = (0..<count).map { _ in pool.randomElement(using: &generator)! }
        let ids = try await fixture.ingest.intern(labels)
        let step = [1, 1000, 15_000, 4_000_000].randomElement(using: &generator)!
        for (place, (label, id)) in zip(labels, ids).enumerated() {
            let time =
                fixture.now + Int64(place * step / count)
                + Int64.random(in: Bool.random(using: &generator) ? -2...0 : 0...0, using: &generator)
            let value = [1, 2.5, StaleMarker.value, .nan, Double(place)].randomElement(using: &generator)!
            batch.append(id, at: time, value)
            model.append(label, time, value, now: fixture.now, &expected)
        }
        let report = try await fixture.ingest.submit(batch, from: "model", patience: .zero)
        #expect(report == expected)
    }

    private func compare(_ fixture: StoreFixture, _ model: Model, _ generator: inout SeededGenerator) async throws {
        let now = fixture.now
        let start = Int64.random(in: -1_800_000...700_000, using: &generator)
        let end = start + Int64.random(in: 0...3_000_000, using: &generator)
        let matchers = try matchers(&generator)
        let expected = model.select(matchers, now + start, now + end)
        let actual = try await fixture.select(matchers, from: start, to: end)
        let shifted = expected.mapValues { points in
            points.map { Point($0.time - now, Double(bitPattern: $0.bits)) }
        }
        #expect(actual == shifted, "\(matchers) from \(start) to \(end)")
        let newest = try await fixture.select(matchers, from: start, to: end, newestOnly: true)
        #expect(newest == shifted.mapValues { Array($0.suffix(1)) })
        let series = await fixture.store.series(
            matching: [matchers], from: Timestamp(milliseconds: now + start), to: Timestamp(milliseconds: now + end))
        #expect(Set(series).isSuperset(of: expected.keys))
    }
}
