import Foundation
import Streams
import Synchronization
import TestKit
import Testing

@testable import Storage

@Suite struct SnapshotTests {
    private static let blocking: Blocking = { $0() }

    // MARK: A store and what is in it

    /// Every sample of every series, with all that it has, as text: equal by bits.
    private static func contents(_ fixture: StoreFixture) async throws -> [LabelSet: [String]] {
        let block = try await fixture.store.select(
            SelectRequest(matchers: [], start: .distantPast, end: .distantFuture))
        var result: [LabelSet: [String]] = [:]
        for index in 0..<block.count {
            result[block.labels[index]] = (block.bounds[index]..<block.bounds[index + 1]).map { place in
                let value = block.values[place]
                let text =
                    value.isHistogram ? "\(block.histograms[value.histogramPlace])" : "\(value.bitPattern)"
                return "\(block.timestamps[place]) \(text) \(block.starts.isEmpty ? 0 : block.starts[place])"
            }
        }
        return result
    }

    private static func histogram(_ generator: inout SeededGenerator) -> NativeHistogram {
        let isWhole = Bool.random(using: &generator)
        var histogram = NativeHistogram(schema: .random(in: -4...8, using: &generator), count: 9, sum: .nan)
        histogram.counterResetHint = .gauge
        histogram.zeroThreshold = 0.5
        let length = UInt32.random(in: 1...5, using: &generator)
        histogram.positive.spans = [.init(offset: -3, length: length), .init(offset: 2, length: 1)]
        histogram.positive.counts = (0...length).map { Double($0) / (isWhole ? 1 : 3) }
        if Bool.random(using: &generator) {
            histogram.schema = NativeHistogram.customSchema
            histogram.customBounds = (0...length + 1).map(Double.init)
        }
        return histogram
    }

    /// Floats, stale markers, histograms and starts, in some seven hours at different paces.
    private static func filled(shards: Int, seed: UInt64, series count: Int = 30) async throws -> StoreFixture {
        var generator = SeededGenerator(seed: seed)
        let fixture = StoreFixture(shards: shards)
        let sets: [LabelSet] = (0..<count).map {
            ["__name__": "m\($0 % 3)", "i": "\($0)", "text": $0 % 5 == 0 ? "Ünï \"\n" : "x"]
        }
        let ids = try await fixture.ingest.intern(sets)
        for round in 0..<100 {
            fixture.clock.advance(by: .milliseconds(Int64.random(in: 1...500_000, using: &generator)))
            var batch = SampleBatch()
            for (place, id) in ids.enumerated() where Int.random(in: 0...place % 4, using: &generator) == 0 {
                for step in 0..<Int64.random(in: 1...4, using: &generator) {
                    let time = fixture.now - 1000 + step * 100
                    if place % 7 == 3, Bool.random(using: &generator) {
                        batch.append(id, at: time, histogram(&generator))
                    } else {
                        let values = [1, StaleMarker.value, .nan, -0.0, Double(round), .infinity]
                        batch.append(id, at: time, values.randomElement(using: &generator)!)
                    }
                    if place % 5 == 2 { batch.setStart([0, 5, fixture.now / 2].randomElement(using: &generator)!) }
                }
            }
            try await fixture.ingest.submit(batch, from: "test", patience: .zero)
        }
        return fixture
    }

    @discardableResult
    private static func write(_ fixture: StoreFixture, to path: String) async throws -> SnapshotWritten {
        try await fixture.store.writeSnapshot(to: path, at: fixture.clock.now(), blocking: blocking) { true }
    }

    /// An empty store at the same time.
    private static func empty(
        like fixture: StoreFixture, _ settings: StorageSettings = StorageSettings(), shards: Int = 2,
        later: Duration = .zero
    ) -> StoreFixture {
        let other = StoreFixture(settings, shards: shards)
        other.clock.advance(by: .milliseconds(fixture.now - other.now) + later)
        return other
    }

    private static func read(_ fixture: StoreFixture, _ path: String) async throws -> SnapshotRead? {
        try await fixture.ingest.readSnapshot(from: path, blocking: blocking) { true }
    }

    // MARK: Round trips

    @Test("A store comes back as it was, over any number of shards", arguments: 0..<6)
    func roundTrip(_ seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s")
        let first = try await Self.filled(shards: Int(seed) + 1, seed: seed)
        let before = try await Self.contents(first)
        let written = try await Self.write(first, to: path)
        #expect(written.series == before.count)
        #expect(written.samples == before.values.reduce(0) { $0 + $1.count })
        #expect(!written.isCut)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).count
        #expect(bytes == written.bytes)
        let second = Self.empty(like: first, shards: 6 - Int(seed))
        let read = try #require(try await Self.read(second, path))
        #expect(
            read
                == SnapshotRead(time: first.clock.now(), series: written.series, samples: written.samples))
        #expect(try await Self.contents(second) == before)
        // It goes on as a store does: what is old is refused, what is new is taken, and once more.
        let labels = try #require(before.keys.first)
        let report = try await second.append([(labels, -400_000_000, 1), (labels, 1000, 2)])
        #expect((report.outOfBounds, report.outOfOrder) == (1, 0))
        try await Self.write(second, to: path)
        let third = Self.empty(like: second)
        _ = try await Self.read(third, path)
        let again = try await Self.contents(third)
        for (labels, samples) in try await Self.contents(second) {
            #expect(again[labels] == samples, "\(labels)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("")) == ["s"])
    }

    @Test func `series larger than a piece go on in the next one`() async throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 7)
        let first = StoreFixture(shards: 1)
        let ids = try await first.ingest.intern([["a": "floats"], ["a": "histograms"], ["a": "after"]])
        var batch = SampleBatch()
        for index in 0..<60_000 {
            batch.append(ids[0], at: first.now - 60_000 + Int64(index), .random(in: 0...1, using: &generator))
        }
        var one = Self.histogram(&generator)
        for index in 0..<6000 {
            if index % 100 == 0 { one = Self.histogram(&generator) }
            one.sum = Double(index) / 3
            one.positive.counts = one.positive.counts.map { _ in .random(in: 0...1, using: &generator) }
            batch.append(ids[1], at: first.now - 60_000 + Int64(index) * 10, one)
        }
        batch.append(ids[2], at: first.now, 1)
        try await first.ingest.submit(batch, from: "test", patience: .zero)
        let written = try await Self.write(first, to: folder.path("s"))
        #expect(written.bytes > 2 * SnapshotPiece.bytesWanted)
        #expect((written.series, written.samples) == (3, 66_001))
        let second = Self.empty(like: first)
        let read = try await Self.read(second, folder.path("s"))
        #expect((read?.series, read?.samples, read?.damaged) == (3, 66_001, 0))
        #expect(try await Self.contents(second) == Self.contents(first))
    }

    @Test func `an empty store and a file that is not there are nothing`() async throws {
        let folder = try TemporaryFolder()
        let fixture = StoreFixture()
        #expect(try await Self.read(fixture, folder.path("s")) == nil)
        let written = try await Self.write(fixture, to: folder.path("s"))
        #expect((written.series, written.samples) == (0, 0))
        #expect(try await Self.read(fixture, folder.path("s")) == SnapshotRead(time: fixture.clock.now()))
        await #expect(throws: SnapshotFailure.self) {
            try await Self.write(fixture, to: folder.path("none/s"))
        }
    }

    // MARK: Bounds

    @Test func `what is past retention at the next start is left out`() async throws {
        let folder = try TemporaryFolder()
        let first = StoreFixture()
        var samples = [(labels: LabelSet, at: Int64, value: Double)]()
        for minute in 0..<600 {
            samples.append((["a": "long"], Int64(minute) * 60_000, Double(minute)))
            if minute < 200 { samples.append((["a": "ended"], Int64(minute) * 60_000, 1)) }
        }
        let start = first.now
        for slice in stride(from: 0, to: samples.count, by: 50) {
            let part = samples[slice..<min(samples.count, slice + 50)]
            let now = start + (part.last?.at ?? 0)
            if now > first.now { first.clock.advance(by: .milliseconds(now - first.now)) }
            try await first.append(part.map { ($0.labels, start + $0.at - first.now, $0.value) })
        }
        try await Self.write(first, to: folder.path("s"))
        var settings = StorageSettings()
        settings.retention = .seconds(5 * 3600)
        let second = Self.empty(like: first, settings, later: .seconds(3600))
        let read = try #require(try await Self.read(second, folder.path("s")))
        #expect(read.series == 1)
        #expect(read.dropped > 0)
        let found = try #require(try await Self.contents(second)[["a": "long"]])
        // Of four hours all; beyond that no more than the rest of a chunk.
        #expect((240...360).contains(found.count), "\(found.count)")
        #expect(found.count == read.samples)
    }

    @Test func `samples ahead of a clock that was set back are left out`() async throws {
        let folder = try TemporaryFolder()
        let first = try await Self.filled(shards: 2, seed: 3)
        try await Self.write(first, to: folder.path("s"))
        let second = StoreFixture()
        let read = try #require(try await Self.read(second, folder.path("s")))
        #expect(read.dropped > read.samples)
        try await second.append([(["__name__": "m0", "i": "0", "text": "Ünï \"\n"], 600_000, 1)])
    }

    @Test func `bounds on series and memory hold`() async throws {
        let folder = try TemporaryFolder()
        let first = try await Self.filled(shards: 4, seed: 4)
        let written = try await Self.write(first, to: folder.path("s"))
        var settings = StorageSettings()
        settings.seriesMax = 12
        let few = Self.empty(like: first, settings)
        let read = try #require(try await Self.read(few, folder.path("s")))
        #expect(few.store.counts.series <= 12)
        #expect(read.series + read.refused == written.series)
        #expect(read.refused > 0)
        settings = StorageSettings()
        settings.memoryBytesMax = 40_000
        let small = Self.empty(like: first, settings, shards: 1)
        let other = try #require(try await Self.read(small, folder.path("s")))
        #expect(other.refused > 0 || small.store.counts.chunksEvicted > 0)
    }

    @Test func `a snapshot that is told to stop has what was written by then`() async throws {
        let folder = try TemporaryFolder()
        let first = try await Self.filled(shards: 4, seed: 5)
        let before = try await Self.contents(first)
        for pieces in 0...4 {
            let asked = Mutex(0)
            let written = try await first.store.writeSnapshot(
                to: folder.path("s"), at: first.clock.now(), blocking: Self.blocking
            ) {
                asked.withLock { asked in
                    asked += 1
                    return asked <= pieces
                }
            }
            #expect(written.isCut)
            #expect(written.series < before.count || pieces == 4)
            let second = Self.empty(like: first)
            let read = try #require(try await Self.read(second, folder.path("s")))
            #expect((read.isCut, read.isTruncated) == (true, false))
            let found = try await Self.contents(second)
            #expect(found.count == written.series)
            #expect(found.allSatisfy { before[$0.key] == $0.value })
        }
    }

    // MARK: Damage

    /// A file with a block for each of four shards, and what is in it.
    private static func sample(_ folder: TemporaryFolder) async throws -> (
        fixture: StoreFixture, contents: [LabelSet: [String]], bytes: [UInt8]
    ) {
        let first = try await filled(shards: 4, seed: 6, series: 12)
        try await write(first, to: folder.path("s"))
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("s"))))
        return (first, try await contents(first), bytes)
    }

    @Test func `a file that ends early gives its good part, and says so`() async throws {
        let folder = try TemporaryFolder()
        let (first, before, bytes) = try await Self.sample(folder)
        let path = folder.path("t")
        for length in Array(0..<80) + stride(from: 80, to: bytes.count, by: max(1, bytes.count / 80)) {
            try Data(bytes[..<length]).write(to: URL(fileURLWithPath: path))
            let second = Self.empty(like: first)
            guard length >= SnapshotBlock.fileHeadBytes else {
                await #expect(throws: SnapshotFailure.self) { try await Self.read(second, path) }
                continue
            }
            let read = try #require(try await Self.read(second, path))
            #expect(read.isTruncated)
            let found = try await Self.contents(second)
            #expect(found.allSatisfy { before[$0.key] == $0.value })
            #expect(found.count < before.count || bytes.count - length < 40)
        }
    }

    @Test func `a byte that was flipped costs its block, and no more`() async throws {
        let folder = try TemporaryFolder()
        let (first, before, bytes) = try await Self.sample(folder)
        let path = folder.path("t")
        var partly = 0
        for place in Array(0..<60) + stride(from: 60, to: bytes.count, by: max(1, bytes.count / 100)) {
            var damaged = bytes
            damaged[place] ^= 1 << UInt8(place % 8)
            try Data(damaged).write(to: URL(fileURLWithPath: path))
            let second = Self.empty(like: first)
            guard place >= SnapshotBlock.fileHeadBytes else {
                await #expect(throws: SnapshotFailure.self) { try await Self.read(second, path) }
                continue
            }
            let read = try #require(try await Self.read(second, path))
            #expect(read.damaged > 0 || read.isTruncated, "place \(place)")
            let found = try await Self.contents(second)
            #expect(found.allSatisfy { before[$0.key] == $0.value })
            if !found.isEmpty, found.count < before.count { partly += 1 }
        }
        #expect(partly > 50)
    }

    @Test func `a file of another version, or of another kind, is an error that says so`() async throws {
        let folder = try TemporaryFolder()
        let (first, _, bytes) = try await Self.sample(folder)
        var other = bytes
        other[8] = 2
        let cases: [(bytes: [UInt8], reason: String)] = [
            (other, "it has version 2, and this server reads version 1"),
            (Array("{\"alerts\": []}".utf8), "it is not a snapshot of samples"),
            ([], "it is not a snapshot of samples"),
        ]
        for (bytes, reason) in cases {
            try Data(bytes).write(to: URL(fileURLWithPath: folder.path("t")))
            let error = await #expect(throws: SnapshotFailure.self) {
                try await Self.read(Self.empty(like: first), folder.path("t"))
            }
            #expect(error?.description == reason)
        }
        let error = await #expect(throws: SnapshotFailure.self) {
            try await Self.read(Self.empty(like: first), folder.path(""))
        }
        #expect(error?.description.contains("Is a directory") == true)
    }

    /// Checksums would hide what the readers do with nonsense, so these are right.
    @Test("Nonsense with the right checksum is damage, never a crash", arguments: 0..<4)
    func nonsense(_ seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let (first, _, bytes) = try await Self.sample(folder)
        var generator = SeededGenerator(seed: seed)
        let path = folder.path("t")
        let head = Array(bytes[..<SnapshotBlock.fileHeadBytes])
        var payloads: [[UInt8]] = []
        var rest = bytes[head.count...]
        while !rest.isEmpty {
            let one = try #require(
                SnapshotBlock.readHead(
                    Array(rest.prefix(SnapshotBlock.headBytes)), number: UInt64(payloads.count + 1)))
            rest = rest.dropFirst(SnapshotBlock.headBytes)
            payloads.append(Array(rest.prefix(one.length)))
            rest = rest.dropFirst(one.length)
        }
        #expect(payloads.count == 5)
        var damaged = 0
        for _ in 0..<60 {
            var file = head
            for (index, payload) in payloads.enumerated() {
                var payload = payload
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    let place = Int.random(in: 0..<payload.count, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: payload[place] = .random(in: .min ... .max, using: &generator)
                    case 1: payload[place] = 0xFF
                    case 2: payload.remove(at: place)
                    default: payload.insert(.random(in: .min ... .max, using: &generator), at: place)
                    }
                    if payload.isEmpty { payload = [0] }
                }
                file += SnapshotBlock.head(payload, number: UInt64(index + 1)) + payload
            }
            try Data(file).write(to: URL(fileURLWithPath: path))
            let second = Self.empty(like: first, shards: 1)
            let read = try #require(try await Self.read(second, path))
            damaged += read.damaged
            _ = try await Self.contents(second)
            second.clock.advance(by: .seconds(100_000))
            await second.store.trim(at: second.clock.now())
        }
        #expect(damaged > 60)
    }
}
