import PromQL
import TestKit
import Testing

/// Texts that are nearly PromQL: each gives an expression or an error, and what is printed is read again as the same.
@Suite struct MutatedInputTests {
    private static let seeds = [
        #"sum by (job, "a b") (rate(http_requests_total{job=~"api|web",code!="200"}[5m] offset -1h @ end())) > bool 0.5"#,
        #"histogram_quantile(0.9, sum without (x) (rate({"my.metric", "l.1"='v'}[1h:5m]))) or vector(NaN)"#,
        "a + on (x) group_left (y,) fill_left (-1) fill_right (2) b ^ -2 ^ c atan2 0x1F % 1_000.5e-3",
        "foo[step() + max_of(5m, range() * 2)] smoothed offset -(1m30s - 2 ^ 3)",
        "topk(5, foo anchored) unless ignoring (a) label_replace(up, \"a\", `$1`, '\\x41\\u00e9', \"(.*)\") # end",
        "min_over_time(rate(foo{bar=\"baz\"}[2s])[5m:] @ 1603775091.5)[4m:3s] </ Inf >/ 1y2w3d4h5m6s7ms",
        "count_values(\"v\", -(-(+foo))) and start() == bool end()",
        "metric{a=\"b\"} 1 2x3 4-0.5x6 _ _x2 stale -Inf NaN",
        "{} {{schema:1 sum:0.3 count:3.1 z_bucket:7 z_bucket_w:0.05 buckets:[5 -1 Inf] offset:-3}}+{{sum:1}}x2 {{}}",
    ]
    private static let fragments = [
        "(", ")", "[", "]", "{", "}", "{{", "}}", ",", ":", "=", "=~", "!~", "\"", "'", "`", "\\", "\\x", "#", "\n",
        "@",
        "offset", "by", "bool", "on", "group_left", "fill(", "step()", "range()", "start()", "min_of(", "sum", "5m",
        "1e",
        "0x", "_", "x9", ".", "-", "--", "^", "*", "Inf", "NaN", "9999999999999999999", "é", "\u{FFFD}", "\u{0}",
        "stale",
        "1e308", "-0", "292y", "info(", "rate(", "[5m:", "or", "</",
    ]

    @Test(arguments: 0..<8) func `mutated input never traps, and what is taken prints as what it is`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1500 {
            var bytes = Array((Self.seeds.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, &random) }
            let text = String(decoding: bytes, as: UTF8.self)
            check(text)
        }
    }

    private func check(_ text: String) {
        for options in [ParserOptions.everything, .standard] {
            guard let expression = try? PromQLParser.parse(text, options: options) else { continue }
            let printed = expression.description
            #expect((try? PromQLParser.parse(printed, options: options))?.description == printed, "from \(text)")
            let pretty = expression.prettified()
            #expect((try? PromQLParser.parse(pretty, options: options))?.description == printed, "from \(text)")
            _ = try? expression.resolvingDurations(step: .seconds(15), range: .seconds(3600))
            #expect(expression.place.start >= 0 && expression.place.end <= text.utf8.count)
        }
        _ = try? PromQLParser.parseSelector(text)
        _ = try? PromQLParser.parseMetric(text)
        _ = try? PromQLParser.parseSeriesNotation(text)
    }

    private static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let length = min(Int.random(in: 0...8, using: &random), bytes.count - place)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.removeSubrange(place..<(place + length))
        case 1: bytes.insert(contentsOf: (fragments.randomElement(using: &random) ?? "").utf8, at: place)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: bytes.insert(contentsOf: Array(bytes[place..<(place + length)]), at: place)
        default:
            let fragment = Array((fragments.randomElement(using: &random) ?? "").utf8)
            bytes.replaceSubrange(place..<(place + length), with: fragment)
        }
    }
}
