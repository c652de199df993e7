import Streams
import Testing

@testable import PromQL

/// Native histograms as numbers: what the scripts don't reach.
@Suite struct HistogramArithmeticTests {
    private func histogram(_ notation: String) throws -> NativeHistogram {
        let series = try PromQLParser.parseSeriesNotation("h {{\(notation)}}")
        guard case .histogram(let literal) = series.values.first else { throw NoHistogram() }
        return literal.histogram
    }

    private struct NoHistogram: Error {}

    @Test(
        "Bounds are powers of two and of their roots", arguments: [(0, 0), (1, 1), (5, 5), (-3, -3)] as [(Int32, Int)])
    func bounds(_ index: Int32, _ exponent: Int) {
        let bound = Double(sign: .plus, exponent: exponent, significand: 1)
        for schema in Int32(0)...8 { #expect(BucketBounds.exponential(index << schema, schema) == bound) }
        #expect(BucketBounds.exponential(index, -1) == bound * bound)
    }

    @Test func `the last bound before infinity is the largest number`() {
        for schema in Int32(-4)...8 {
            let last: Int32 = schema < 0 ? 1024 >> -schema : 1024 << schema
            #expect(BucketBounds.exponential(last, schema) == .greatestFiniteMagnitude)
            #expect(BucketBounds.exponential(last + 1, schema) == .infinity)
            #expect(BucketBounds.exponential(last - 1, schema) < .greatestFiniteMagnitude)
        }
    }

    @Test func `bounds rise from bucket to bucket`() {
        let bounds = (Int32(-600)...600).map { BucketBounds.exponential($0, 8) }
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(
        "Two histograms are added",
        arguments: [
            ("buckets:[1 2]", "offset:3 buckets:[4]", "{{buckets:[1 2 0 4]}}"),
            ("n_buckets:[1]", "n_buckets:[1 1] n_offset:-1", "{{n_offset:-1 n_buckets:[1 2]}}"),
            // The zero bucket of the one ends in a bucket of the other, so it grows to that bucket's end.
            ("z_bucket:1 z_bucket_w:0.75", "buckets:[2 3]", "{{z_bucket:3 z_bucket_w:1 offset:1 buckets:[3]}}"),
            ("z_bucket:1 z_bucket_w:0.75 n_buckets:[4]", "z_bucket:2", "{{z_bucket:3 z_bucket_w:0.75 n_buckets:[4]}}"),
            ("schema:2 buckets:[1 1 1 1 1]", "schema:-1 buckets:[1]", "{{schema:-1 buckets:[2 4]}}"),
            (
                "schema:-53 custom_values:[1 2 3] buckets:[1 1 1 1]", "schema:-53 custom_values:[5] buckets:[1 1]",
                "{{schema:-53 custom_values:[] buckets:[6]}}"
            ),
            ("counter_reset_hint:reset", "counter_reset_hint:gauge", "{{counter_reset_hint:gauge}}"),
            ("counter_reset_hint:reset", "counter_reset_hint:not_reset", "{{}}"),
        ])
    func adds(_ left: String, _ right: String, _ sum: String) throws {
        let (one, other) = (try histogram(left), try histogram(right))
        #expect(try one.adding(other).sum.compacted().notation == sum)
        #expect(try other.adding(one).sum.compacted().notation == sum)
    }

    @Test func `a zero bucket whose width is not a number ends no addition`() throws {
        var broken = try histogram("z_bucket:1 buckets:[2]")
        broken.zeroThreshold = .nan
        let whole = try histogram("z_bucket:1 z_bucket_w:0.5 buckets:[1]")
        #expect(try broken.adding(whole).sum.zeroCount == 2)
        #expect(try whole.adding(broken).sum.zeroCount == 2)
        #expect(try broken.adding(broken).sum.zeroCount == 2)
    }

    @Test(
        "Histograms that an expression makes count as samples",
        arguments: [
            "h * 2", "-h", "h + h", "h + on() group_left() h", "h </ 1e9", "sum by (x) (h)", "h smoothed",
            "sum_over_time(h[2m])",
        ])
    func refuses(_ query: String) async throws {
        let series = try PromQLParser.parseSeriesNotation(
            "h {{count:400 buckets:[\(repeatElement("1", count: 400).joined(separator: " "))]}}x60")
        guard case .histogram(let literal) = series.values.first else { throw NoHistogram() }
        var block = SeriesBlock()
        block.append(
            SeriesID(rawValue: 1), LabelSet([Label("__name__", "h")]), timestamps: (0..<60).map { $0 * 1000 },
            values: (0..<60).map { .histogram(at: $0) }, histograms: Array(repeating: literal.histogram, count: 60))
        var settings = EvaluationSettings()
        // What is read fits twice, what is made of it does not.
        settings.samplesMax = 120 * (literal.histogram.weight + 1)
        let evaluator = Evaluator(reader: PartedSeries(block: block, parts: 1), settings: settings)
        await #expect(throws: EvaluationError.tooManySamples) {
            try await evaluator.range(
                PromQLParser.parse(query, options: .everything), from: Timestamp(milliseconds: 0),
                through: Timestamp(milliseconds: 60_000), step: .milliseconds(100))
        }
    }

    @Test func `nothing is lost when small numbers meet a large one`() throws {
        var sum = HistogramAccumulator(try histogram("count:1e16 sum:1e16 buckets:[1e16]"), isMean: false)
        let one = try histogram("count:1 sum:1 buckets:[1]")
        for _ in 0..<10 { _ = try sum.add(one) }
        _ = try sum.add(try histogram("count:-1e16 sum:-1e16 buckets:[-1e16]"))
        #expect(sum.result.notation == "{{count:10 sum:10 buckets:[10]}}")
    }

    @Test(
        "A counter was reset, or not",
        arguments: [
            ("count:2 buckets:[1 1]", "count:2 buckets:[1 1]", false), ("count:2", "count:3", true),
            ("count:9 buckets:[2 7]", "count:3 buckets:[3]", true),
            ("count:9 offset:1 buckets:[9]", "count:3 buckets:[3]", true),
            ("count:9 buckets:[9]", "count:3 buckets:[3 0]", false),
            // A finer schema or a narrower zero bucket comes with a reset only.
            ("schema:1 count:9", "count:3", true), ("count:9", "schema:1 count:3", false),
            ("count:9 z_bucket_w:0.1", "count:3 z_bucket_w:0.2", true),
            ("count:9 z_bucket:3 z_bucket_w:1", "count:3 buckets:[3]", false),
            ("count:9 z_bucket:3 z_bucket_w:0.75", "count:3 buckets:[3]", true),
            ("count:9 z_bucket:2 z_bucket_w:1", "count:3 buckets:[3]", true),
            ("count:9 counter_reset_hint:reset", "count:3", true),
            ("count:1 counter_reset_hint:not_reset", "count:3", false),
            (
                "schema:-53 count:9 custom_values:[1] buckets:[4 5]",
                "schema:-53 count:2 custom_values:[1 2] buckets:[1 1]", false
            ),
            (
                "schema:-53 count:9 custom_values:[1] buckets:[0 9]",
                "schema:-53 count:2 custom_values:[1 2] buckets:[1 1]", true
            ),
            ("schema:-53 count:9 custom_values:[1]", "count:1", true),
            ("count:9", "schema:-53 count:1 custom_values:[1]", true),
        ])
    func resets(_ now: String, _ before: String, _ isReset: Bool) throws {
        #expect(try histogram(now).isReset(after: try histogram(before)) == isReset)
    }

    @Test(
        "Observations are cut off",
        arguments: [
            (
                "count:4 sum:9 offset:1 buckets:[2 2]", 2.0, true,
                "{{count:2 sum:2.8284271247461903 offset:1 buckets:[2]}}"
            ),
            (
                "count:4 sum:9 offset:1 buckets:[2 2]", 2.0, false,
                "{{count:2 sum:5.656854249492381 offset:2 buckets:[2]}}"
            ),
            ("count:4 sum:9 offset:1 buckets:[2 2]", 0.5, false, "{{count:4 sum:9 offset:1 buckets:[2 2]}}"),
            ("count:4 sum:1 z_bucket:4 z_bucket_w:1", 0.0, true, "{{count:2 sum:-1 z_bucket:2 z_bucket_w:1}}"),
            ("count:4 sum:1 z_bucket:4", 0.0, true, "{{}}"),
            ("count:4 sum:1 z_bucket:4", 0.0, false, "{{count:4 sum:1 z_bucket:4}}"),
            ("count:2 sum:-3 n_offset:1 n_buckets:[2]", -1.0, false, "{{}}"),
            (
                "schema:-53 count:4 sum:9 custom_values:[2] buckets:[2 2]", 1.0, true,
                "{{schema:-53 count:1 sum:0.5 custom_values:[2] buckets:[1]}}"
            ),
            (
                "schema:-53 count:4 sum:9 custom_values:[2] buckets:[2 2]", 3.0, false,
                "{{schema:-53 count:2 sum:6 custom_values:[2] offset:1 buckets:[2]}}"
            ),
        ])
    func trims(_ notation: String, _ value: Double, _ keepsBelow: Bool, _ rest: String) throws {
        #expect(try histogram(notation).trimmed(at: value, keepsBelow: keepsBelow).notation == rest)
    }

    @Test(
        "What can't be a histogram says why",
        arguments: [
            ("schema:9", "invalid schema"), ("count:-1", "observation count is negative"),
            ("buckets:[1 -1]", "positive side: histogram has a bucket"), ("z_bucket:-1", "zero bucket"),
            ("custom_values:[1]", "must not have custom bounds"),
            ("schema:-53 custom_values:[2 1]", "strictly increasing"),
            ("schema:-53 custom_values:[1 Inf]", "must be finite"),
            ("schema:-53 custom_values:[NaN]", "must not be NaN"),
            ("schema:-53 custom_values:[1] buckets:[1 1 1]", "too few"),
            ("schema:-53 custom_values:[1] n_buckets:[1]", "negative buckets"),
            ("schema:-53 custom_values:[1] z_bucket:1", "zero count of 0"),
        ])
    func flaws(_ notation: String, _ flaw: String) throws {
        #expect(try histogram(notation).flaw?.contains(flaw) == true)
        #expect(try histogram("count:2 buckets:[1 1]").flaw == nil)
    }

    @Test func `spans that promise more than there is do no harm`() {
        let wrong = NativeHistogram(
            count: 3, positive: .init(spans: [.init(offset: .max, length: .max)], counts: [1, 2]),
            negative: .init(spans: [], counts: [4]))
        #expect(wrong.flaw != nil)
        #expect(wrong.text.hasPrefix("{count:3"))
        #expect(wrong.notation == wrong.text)
        _ = wrong.quantile(0.5)
        _ = wrong.isReset(after: wrong)
    }
}
