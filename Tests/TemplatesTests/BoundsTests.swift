import Foundation
import TestKit
import Testing

@testable import Templates

@Suite struct BoundsTests {
    private func outcome(_ text: String, html: Bool = false) -> Result<String, any Error> {
        Result {
            var set = TemplateSet(functions: FunctionTables.notifications)
            try set.add(text, name: "t")
            if html { set = try set.escaped("t") }
            var limits = TemplateLimits()
            limits.stepsMax = 50_000
            return try Executor(trees: set.trees, functions: set.functions, limits: limits).run("t", on: .null)
        }
    }

    private static func deep(_ count: Int) -> [String] {
        let open = String(repeating: "{{ if true }}", count: count)
        let chain = (0..<count).map {
            "{{ define \"t\($0)\" }}{{ if true }}{{ if true }}{{ template \"t\($0 + 1)\" }}{{ end }}{{ end }}{{ end }}"
        }
        return [
            open + String(repeating: "{{ end }}", count: count),
            "{{ " + String(repeating: "(", count: count) + "1" + String(repeating: ")", count: count) + " }}",
            String(repeating: "{{ range 2 }}", count: count) + String(repeating: "{{ end }}", count: count),
            "{{ if false }}" + String(repeating: "{{ else if false }}", count: count) + "{{ end }}",
            chain.joined() + "{{ define \"t\(count)\" }}{{ end }}{{ template \"t0\" }}",
            "{{ define \"a\" }}{{ if true }}{{ template \"a\" }}{{ end }}{{ end }}{{ template \"a\" }}",
            "{{ $l := list }}{{ range \(count) }}{{ $l = list $l }}{{ end }}{{ toJson $l }}{{ print $l }}",
            "{{ $l := dict }}{{ range \(count) }}{{ $l = dict \"a\" $l }}{{ end }}{{ toJson $l }}{{ printf \"%#v\" $l }}",
            String(repeating: "{{/* c */}}", count: count),
            String(repeating: "<script>`${", count: count), String(repeating: "<a href='", count: count),
        ]
    }

    @Test func `depth ends in an answer or an error, on a small stack too`() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let thread = Thread {
                for count in [20, 60, 2000] {
                    for text in Self.deep(count) {
                        _ = outcome(text)
                        _ = outcome(text, html: true)
                    }
                }
                done.resume()
            }
            thread.stackSize = 2 << 20
            thread.start()
        }
    }

    @Test(arguments: [
        #"{{ $l := list }}{{ range 10000000 }}{{ $l = append $l 1 }}{{ end }}"#,
        #"{{ range 100000 }}{{ $x := 1 }}{{ range 100000 }}{{ end }}{{ end }}"#,
        #"{{ $s := "aaaaaaaaaa" }}{{ range 100 }}{{ $s = reReplaceAll "a" $s $s }}{{ end }}"#,
        #"{{ $s := "a" }}{{ range 100 }}{{ $s = join $s (stringSlice $s $s) }}{{ end }}"#,
        #"{{ $s := "a" }}{{ range 100 }}{{ $s = urlquery $s $s "%" }}{{ end }}"#,
        #"{{ range 1000000 }}{{ printf "%1000000s" "" }}{{ end }}"#,
    ])
    func `work and size are bounded`(text: String) {
        #expect(throws: TemplateError.self) { try outcome(text).get() }
    }

    @Test func `mutated templates never crash`() throws {
        var state: UInt64 = 42
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        let seed = Array(
            (DefaultTemplates.all.map(\.text).joined()
                + #"{{ range $i, $e := list 1 "x" 2.5 }}{{ printf "%[2]*.3f|%x|%q" 3 $e $i }}{{ break }}{{ end }}"#
                + #"<script>var a = {{ . }}; /x[{{ 1 }}]/</script><p style="a: url({{ 1 }})">"#).utf8)
        for _ in 0..<300 {
            let start = random(seed.count), end = min(seed.count, start + 20 + random(400))
            var piece = Array(seed[start..<end])
            for _ in 0..<random(6) where !piece.isEmpty {
                let place = random(piece.count)
                switch random(3) {
                case 0: piece.remove(at: place)
                case 1: piece[place] = UInt8(truncatingIfNeeded: random(256))
                default:
                    piece.insert(
                        contentsOf: Array(["{{", "}}", "(", "\"", "`", "-", "$", "end", "<", "'"][random(10)].utf8),
                        at: place)
                }
            }
            let text = String(decoding: piece, as: UTF8.self)
            _ = outcome(text)
            _ = outcome(text, html: true)
        }
    }
}
