import Sources
import Streams
import TestKit
import Testing

/// Text that was changed at random: nothing traps, and the quick way of reading says what the full reading says.
@Suite struct ExpositionMutationTests {
    // With `le` in its normal form: as in Prometheus, a known series keeps the labels it had when its TYPE line was there.
    private static let text = """
        # HELP requests_total Requests, \\n of "all" kinds.
        # TYPE requests_total counter
        requests_total{code="200",path="/a}b\\"c",method="GET"} 10
        requests_total{code="500",path="/",method="PUT"} 1.5 1395066363000
        {"my.metric", "dotted.label"="x"} 7
        # TYPE h histogram
        h_bucket{le="1.0"} 1
        h_bucket{le="+Inf"} 2
        h_sum 0.8374652918374651
        # just a comment
        up 1
        temperature{where="кухня"} -21.25e-1
        nothing NaN
        a 1
        ab{x="1"} 2
        a{x="1"} 3

        """

    private static let openMetrics = """
        # HELP a Text.
        # TYPE a counter
        # UNIT b_seconds seconds
        a_total{x="1"} 5 12.5 # {id="7"} 1 2
        a_total{x="2"} 6 # {id="7",other="\\""} 1
        a_created{x="1"} 3
        b_seconds 1.5
        {"my.metric","k"="v"} 2
        # EOF

        """

    private static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        let alphabet = Array("{}\",= \t\n\\#0123456789.eE+-aNI_:\u{0}\u{FF}".utf8)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let place = Int.random(in: 0..<max(1, bytes.count), using: &generator)
            guard place < bytes.count else { continue }
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] = alphabet.randomElement(using: &generator) ?? 0
            case 1: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
            case 2: bytes.remove(at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...60, using: &generator)))
            default:
                var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                lines.swapAt(
                    Int.random(in: 0..<lines.count, using: &generator),
                    Int.random(in: 0..<lines.count, using: &generator))
                bytes = Array(lines.joined(separator: [0x0A]))
            }
        }
        return bytes
    }

    /// What the full reader gives, with the rules of a scrape on top.
    private static func reference(_ bytes: [UInt8], _ format: ExpositionFormat) -> Result<[String], ExpositionError> {
        var samples: [String] = []
        var seen: Set<[UInt8]> = []
        var failure: ExpositionError?
        bytes.withUnsafeBytes { all in
            var reader = ExpositionReader(all, as: format)
            do throws(ExpositionError) {
                while let kind = try reader.next() {
                    guard kind == .series else { continue }
                    let labels = try reader.labelSet()
                    if labels.name == nil { throw ExpositionError(.metricName, line: 0, "") }
                    if seen.insert(Array(all[reader.series])).inserted || reader.timestamp != nil {
                        samples.append("\(labels) \(formatFloat(reader.value, .general)) @\(reader.timestamp ?? 1000)")
                    }
                }
            } catch {
                failure = error
            }
        }
        return failure.map { .failure($0) } ?? .success(samples.sorted())
    }

    @Test(arguments: [ExpositionFormat.text, .openMetrics])
    func `the quick way and the full reading agree`(_ format: ExpositionFormat) throws {
        var generator = SeededGenerator(seed: 31)
        let original = format == .text ? Self.text : Self.openMetrics
        var target = ScrapedTarget()
        _ = try target.scrape(original, format)
        for round in 0..<1500 {
            let bytes = Self.mutated(Array(original.utf8), &generator)
            let wanted = Self.reference(bytes, format)
            do {
                let got = try target.scrape(bytes: bytes, format).filter { !$0.hasSuffix(" stale") }.sorted()
                guard case .success(let wanted) = wanted else {
                    Issue.record("\(excerpt(bytes)) was taken, though \(wanted)")
                    continue
                }
                #expect(got == wanted, "\(excerpt(bytes))")
            } catch let error as ExpositionError {
                _ = target.fail()
                guard case .failure(let wanted) = wanted else {
                    Issue.record("\(excerpt(bytes)) was refused with \(error)")
                    continue
                }
                #expect(
                    wanted.kind == error.kind && (wanted.line == error.line || wanted.line == 0 || error.kind == .eof),
                    "\(wanted) \(error)")
            }
            // A fresh start now and then, and the original again, so that predictions are right most of the time.
            if round % 500 == 0 { target = ScrapedTarget() }
            if round % 3 == 0 { _ = try target.scrape(original, format) }
        }
    }

    @Test func `a stream and a strict reading never trap either`() {
        var generator = SeededGenerator(seed: 32)
        let cache = SeriesCache(capacity: 1000, secret: HashSecret(low: 1, high: 1))
        var taken = 0
        for _ in 0..<1500 {
            let bytes = Self.mutated(Array(Self.text.utf8), &generator)
            bytes.withUnsafeBytes { all in
                if (try? StrictExposition.parse(all)) != nil { taken += 1 }
                var parser = StreamParser(at: Timestamp(milliseconds: 0), cache: cache)
                let half = all.count / 2
                parser.feed(UnsafeRawBufferPointer(rebasing: all[..<half]))
                while var batch = try? parser.next() { batch.resolve(batch.unknown.map { _ in nil }, into: cache) }
                parser.feed(UnsafeRawBufferPointer(rebasing: all[half...]))
                while var batch = try? parser.finish() { batch.resolve(batch.unknown.map { _ in nil }, into: cache) }
            }
        }
        #expect(taken > 0 && taken < 1500)
    }

    private func excerpt(_ bytes: [UInt8]) -> String { quoted(String(decoding: bytes, as: UTF8.self)) }
}
