import PromQL
import Streams
import Testing

@Suite struct SeriesNotationTests {
    @Test(
        "A line spells out its values",
        arguments: [
            ("a 1 2 3", "1 2 3"), ("a 1x3", "1 1 1 1"), ("a 0+10x3", "0 10 20 30"), ("a 5-2x2", "5 3 1"),
            ("a _x3 stale NaN -Inf 1e-3", "_ _ _ stale NaN -Inf 0.001"), ("a +1 -1", "1 -1"), ("a", ""), ("a   ", ""),
            ("a {{count:2 buckets:[0 1 1 0] offset:3}}", "{{count:2 offset:4 buckets:[1 1]}}"),
            ("a {{sum:3}}-{{sum:1}}x2", "{{sum:3}} {{sum:2}} {{sum:1}}"),
            (
                "a {{schema:0 buckets:[1]}}+{{schema:1 buckets:[1 1 1] offset:-1}}x1",
                "{{buckets:[1]}} {{buckets:[3 1]}}"
            ),
            ("a {{buckets:[1] offset:5}}+{{buckets:[1]}}x1", "{{offset:5 buckets:[1]}} {{buckets:[1 0 0 0 0 1]}}"),
            (
                "a {{counter_reset_hint:gauge}}+{{counter_reset_hint:reset}}x1",
                "{{counter_reset_hint:gauge}} {{counter_reset_hint:gauge}}"
            ),
        ])
    func values(_ line: String, values: String) throws {
        let series = try PromQLParser.parseSeriesNotation(line)
        #expect(series.labels == ["__name__": "a"])
        #expect(series.values.map(\.description).joined(separator: " ") == values)
    }

    @Test(
        "What is none is refused, with its place",
        arguments: [
            ("a 1 2 b", 6), ("a 1,2", 3), ("a 1 x2", 4), ("a 1x", 4), ("a 1x1.5", 4), ("a 1+x", 4), ("a{b=\"c\" 1", 8),
            ("a 1x99999999999999999999", 4), ("a 1x2000000", 4), ("a 0x999999 1x999999", 13), ("a {{", 4),
            ("a {{sum:1", 9), ("a {{sum:1 sum:2}}", 0), ("a {{buckets:[1 }}", 15), ("a {{schema:99999999999}}", 11),
            ("a {{buckets:[1] offset:900000}}+{{buckets:[1]}}x1", 48),
            ("a {{schema:-53 custom_values:[1]}}+{{schema:1}}x1", 48), ("a 0b1", 2), ("a [", 2), ("a é", 2),
            ("a 5m", 2),
        ])
    func refuses(_ line: String, at start: Int) {
        let error = #expect(throws: ParseError.self) { try PromQLParser.parseSeriesNotation(line) }
        #expect(error?.place.start == start, "\(error.map(\.description) ?? "")")
    }
}
