@testable import PromQL
import Streams
import Testing

/// The arithmetic below the evaluator, where a case is hard to reach through a query.
@Suite struct EvaluationKernelTests {
    @Test(
        "A hash is XXH64",
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func hashes(_ text: String, _ hash: UInt64) {
        #expect(XXHash64.hash(Array(text.utf8)) == hash)
    }

    @Test(
        "A day has its date, before the epoch too",
        arguments: [
            (0, 1970, 1, 1), (-1, 1969, 12, 31), (11_016, 2000, 2, 29), (19_782, 2024, 2, 29), (-719_528, 0, 1, 1),
        ] as [(Int64, Int64, Int64, Int64)])
    func dates(_ days: Int64, _ year: Int64, _ month: Int64, _ day: Int64) {
        let date = CivilDate(daysSinceEpoch: days)
        #expect([date.year, date.month, date.day] == [year, month, day])
        #expect(date.daysSinceEpoch == days)
    }

    @Test(
        "Names are ordered as people order them",
        arguments: [
            ["", "a", "a1", "a2", "a10", "b"], ["n1-x", "n01-x", "n2-a"], ["1.2.9", "1.2.10", "1.10.1"],
        ])
    func orders(_ names: [String]) {
        for (one, other) in zip(names, names.dropFirst()) {
            #expect(NaturalOrder.isBefore(one, other))
            #expect(!NaturalOrder.isBefore(other, one))
        }
    }

    @Test func `a mean beyond the largest float is carried on as a mean`() {
        var mean = CompensatedMean(first: Double.greatestFiniteMagnitude)
        mean.add(Double.greatestFiniteMagnitude)
        mean.add(Double.greatestFiniteMagnitude)
        #expect(abs(mean.value / Double.greatestFiniteMagnitude - 1) < 1e-15)
    }

    @Test func `infinities decide extremes before NaN, as in Go`() {
        #expect(goMaximum(.infinity, .nan) == .infinity)
        #expect(goMinimum(.nan, -.infinity) == -.infinity)
        #expect(goMaximum(1, .nan).isNaN)
        #expect(goMaximum(-0.0, 0).sign == .plus)
    }

    @Test func `a histogram without infinity or without observations has no quantile`() {
        var open = ClassicBuckets()
        open.append(upperBound: 1, count: 3)
        #expect(open.quantile(0.5).value.isNaN)
        var empty = ClassicBuckets()
        empty.append(upperBound: 1, count: 0)
        empty.append(upperBound: .infinity, count: 0)
        #expect(empty.quantile(0.5).value.isNaN)
        #expect(empty.fraction(from: 0, to: 1).isNaN)
    }
}
