import Streams
import TestKit
import Testing

@testable import Storage

@Suite struct ExemplarTests {
    private static func exemplar(_ id: String, _ value: Double, at time: Int64, own: Bool = true) -> Exemplar {
        Exemplar(["id": id], value: value, timestamp: time, hasOwnTime: own)
    }

    private static func everything(_ ring: ExemplarRing) -> [String: [String]] {
        var result: [String: [String]] = [:]
        for series in ring.select([[]], from: .min, through: .max) {
            result["\(series.labels)"] = series.exemplars.map {
                "\($0.labels["id"] ?? "") \($0.value) @\($0.timestamp)"
            }
        }
        return result
    }

    private static func refusal(_ body: () throws(ExemplarRing.Refusal) -> Void) -> ExemplarRing.Refusal? {
        do throws(ExemplarRing.Refusal) { try body() } catch { return error }
        return nil
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var next: Exemplar
        var refusal: ExemplarRing.Refusal?
        init(_ name: String, _ next: Exemplar, _ refusal: ExemplarRing.Refusal?) {
            testDescription = name
            self.next = next
            self.refusal = refusal
        }
    }

    /// What may follow `b 5 @100` in a series.
    static let cases = [
        Case("the same again is nothing new", exemplar("b", 5, at: 100), .repeated),
        Case("the same at a later time of its own is new", exemplar("b", 5, at: 101), nil),
        Case("an older one is refused", exemplar("c", 6, at: 99), .outOfOrder),
        Case("a smaller one of the same time is refused", exemplar("b", 4, at: 100), .outOfOrder),
        Case("a larger one of the same time is new", exemplar("b", 6, at: 100), nil),
        Case("labels of 128 characters are taken", exemplar(String(repeating: "ü", count: 126), 6, at: 101), nil),
        Case("labels of 129 are not", exemplar(String(repeating: "ü", count: 127), 6, at: 101), .tooLong),
    ]

    @Test("What follows an exemplar", arguments: cases)
    func follows(_ example: Case) throws {
        var ring = ExemplarRing(capacity: 10)
        try ring.add(Self.exemplar("b", 5, at: 100), to: ["s": "1"])
        let refusal = Self.refusal { () throws(ExemplarRing.Refusal) in try ring.add(example.next, to: ["s": "1"]) }
        #expect(refusal == example.refusal)
        #expect(ring.count == (refusal == nil ? 2 : 1))
    }

    @Test func `labels of series are bounded by their text, and leave with their last exemplar`() throws {
        var ring = ExemplarRing(capacity: 2, seriesBytesMax: 10)
        try ring.add(Self.exemplar("a", 1, at: 1), to: ["s": "12345"])
        #expect(
            Self.refusal { () throws(ExemplarRing.Refusal) in
                try ring.add(Self.exemplar("b", 1, at: 1), to: ["s": "1234"])
            }
                == .noRoom)
        try ring.add(Self.exemplar("b", 1, at: 2), to: ["s": "123"])
        try ring.add(Self.exemplar("b", 2, at: 3), to: ["s": "123"])
        try ring.add(Self.exemplar("b", 1, at: 4), to: ["s": "12345"])
        #expect(Self.everything(ring).keys.sorted() == ["{s=\"123\"}", "{s=\"12345\"}"])
    }

    @Test func `one without a time is the same at each scrape until it says something else`() throws {
        var ring = ExemplarRing(capacity: 10)
        try ring.add(Self.exemplar("a", 1, at: 100, own: false), to: ["s": "1"])
        #expect(
            Self.refusal { () throws(ExemplarRing.Refusal) in
                try ring.add(Self.exemplar("a", 1, at: 200, own: false), to: ["s": "1"])
            } == .repeated)
        try ring.add(Self.exemplar("a", 2, at: 300, own: false), to: ["s": "1"])
        #expect(Self.everything(ring) == [#"{s="1"}"#: ["a 1.0 @100", "a 2.0 @300"]])
    }

    @Test func `selectors and times pick`() throws {
        var ring = ExemplarRing(capacity: 10)
        for (place, name) in ["b", "a", "b", "a"].enumerated() {
            try ring.add(Self.exemplar("x", 1, at: Int64(place * 100)), to: ["__name__": name])
        }
        func pick(_ selectors: [[Matcher]], _ times: ClosedRange<Int64>) -> [String] {
            ring.select(selectors, from: times.lowerBound, through: times.upperBound)
                .map { "\($0.labels) \($0.exemplars.map(\.timestamp))" }
        }
        let a = [Matcher("__name__", equals: "a")]
        let b = [Matcher("__name__", equals: "b")]
        #expect(pick([a, b], 0...300) == ["a [100, 300]", "b [0, 200]"])
        #expect(pick([b], 1...200) == ["b [200]"])
        #expect(pick([b], 201...900) == [])
        #expect(pick([], 0...300) == [])
    }

    /// The newest of all, with the rules written down plainly.
    private struct Model {
        var kept: [(series: String, exemplar: Exemplar)] = []
        var capacity: Int

        mutating func add(_ exemplar: Exemplar, _ series: String) {
            guard capacity > 0 else { return }
            if let newest = kept.last(where: { $0.series == series })?.exemplar {
                if exemplar.repeats(newest) || exemplar.timestamp < newest.timestamp { return }
            }
            kept.append((series, exemplar))
            trim()
        }

        mutating func trim() { kept.removeFirst(max(0, kept.count - capacity)) }

        var everything: [String: [String]] {
            Dictionary(grouping: kept, by: \.series).mapValues { items in
                items.map { "\($0.exemplar.labels["id"] ?? "") \($0.exemplar.value) @\($0.exemplar.timestamp)" }
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `the ring holds the newest, whatever comes and however it is resized`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var ring = ExemplarRing(capacity: 7)
        var model = Model(capacity: 7)
        var time: Int64 = 0
        for step in 0..<2000 {
            let number = Int.random(in: 0..<6, using: &random)
            let labels: LabelSet = ["s": "\(number)"]
            time += Int64.random(in: -1...3, using: &random)
            // Rising values: what is told apart by value within one time has a test of its own.
            let exemplar = Self.exemplar("\(Int.random(in: 0..<3, using: &random))", Double(step / 3), at: time)
            let isTie = model.kept.last { $0.series == "\(labels)" }?.exemplar.timestamp == time
            if !isTie {
                _ = Self.refusal { () throws(ExemplarRing.Refusal) in
                    try ring.add(exemplar, to: labels, id: SeriesID(rawValue: UInt32(number + step / 500 * 10)))
                }
                model.add(exemplar, "\(labels)")
            }
            if step % 97 == 0 {
                let capacity = Int.random(in: 0...9, using: &random)
                ring.resize(to: capacity)
                model.capacity = capacity
                model.trim()
            }
            #expect(Self.everything(ring) == model.everything, "seed \(seed), step \(step)")
            #expect(ring.count == model.kept.count && ring.seriesCount == model.everything.count)
        }
    }

    @Test func `exemplars by id lie under the labels of their series`() async throws {
        let fixture = StoreFixture()
        let ids = try await fixture.ingest.intern([["__name__": "a"], ["__name__": "b"]])
        await fixture.ingest.keep([
            SeriesExemplar(.id(ids[0]), Self.exemplar("x", 1, at: 5)),
            SeriesExemplar(.id(ids[1]), Self.exemplar("y", 1, at: 5)),
            SeriesExemplar(.id(SeriesID(rawValue: 99_999)), Self.exemplar("z", 1, at: 5)),
            SeriesExemplar(.labels(["__name__": "b"]), Self.exemplar("y", 2, at: 6)),
        ])
        await fixture.ingest.keep([
            SeriesExemplar(.id(ids[1]), Self.exemplar("y", 2, at: 6)),
            SeriesExemplar(.id(ids[1]), Self.exemplar("y", 3, at: 1)),
        ])
        let found = fixture.ingest.exemplars.select([[]], from: .distantPast, through: .distantFuture)
        #expect(found.map { "\($0.labels) \($0.exemplars.map(\.value))" } == ["a [1.0]", "b [1.0, 2.0]"])
        let metrics = fixture.telemetry.exposition()
        for line in [
            "tocsin_exemplars 3", "tocsin_exemplars_series 2", "tocsin_exemplars_max 100000",
            "tocsin_exemplars_appended_total 3", "tocsin_exemplars_refused_total{reason=\"out_of_order\"} 1",
            "tocsin_exemplars_refused_total{reason=\"unknown_series\"} 1",
        ] { #expect(metrics.contains("\n\(line)\n"), "\(line)") }
        fixture.ingest.exemplars.resize(to: 0)
        await fixture.ingest.keep([SeriesExemplar(.id(ids[0]), Self.exemplar("x", 1, at: 5))])
        #expect(fixture.ingest.exemplars.select([[]], from: .distantPast, through: .distantFuture).isEmpty)
    }
}
