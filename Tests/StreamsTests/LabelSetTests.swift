import Streams
import Testing

@Suite struct LabelSetTests {
    @Test func `labels are sorted, of equal names the last one counts, empty values are none`() {
        let labels = LabelSet([Label("b", "1"), Label("a", "2"), Label("b", "3"), Label("c", "")])
        #expect(Array(labels) == [Label("a", "2"), Label("b", "3")])
        #expect(LabelSet([Label("a", "1"), Label("a", "")]) == LabelSet())
        #expect(["b": "1", "a": "2"] as LabelSet == ["a": "2", "b": "1"])
    }

    @Test func `texts that look the same and have other bytes are different labels`() throws {
        let (one, other) = ("caf\u{E9}", "cafe\u{301}")
        #expect(one == other && Label("a", one) != Label("a", other) && Label(one, "a") != Label(other, "a"))
        #expect(Label("a", other) < Label("a", one) && !(Label("a", one) < Label("a", other)))
        #expect(
            Label("a", "b") == Label("a", "b") && !(Label("a", "b") < Label("a", "b"))
                && Label("a", "") < Label("a", "b"))
        let sets: Set<LabelSet> = [["a": one], ["a": other], ["a": one]]
        #expect(sets.count == 2)
        let names = LabelSet([Label(one, "1"), Label(other, "2")])
        #expect(names.count == 2 && names[one] == "1" && names[other] == "2")
        #expect(names.keeping([one]).count == 1 && names.removing([one])[other] == "2")
        #expect(Matcher("a", equals: one) != Matcher("a", equals: other))
        #expect(Matcher("a", equals: one).accepts(one) && !Matcher("a", equals: one).accepts(other))
        #expect(try Matcher("a", .notEqual, one).accepts(other))
        #expect(try RegularExpression(one) != RegularExpression(other))
        // As long as each other, and canonically the same.
        #expect(Label("a", "\u{212B}") != Label("a", "A\u{30A}") && "\u{212B}" == "A\u{30A}")
    }

    @Test func `setting a label keeps the order, setting it empty removes it`() {
        var labels: LabelSet = ["b": "1"]
        labels["c"] = "2"
        labels["a"] = "3"
        labels["b"] = "4"
        #expect(labels.description == #"{a="3", b="4", c="2"}"#)
        labels["b"] = ""
        labels["d"] = nil
        #expect(labels == ["a": "3", "c": "2"] && labels["b"] == nil)
    }

    @Test func `sets are cut, kept and laid over each other`() {
        let labels: LabelSet = ["__name__": "m", "a": "1", "b": "2"]
        #expect(labels.removing(["a", "x"]) == ["__name__": "m", "b": "2"])
        #expect(labels.keeping(["a", "x"]) == ["a": "1"])
        #expect(labels.merging(["a": "9", "c": "3"]) == ["__name__": "m", "a": "9", "b": "2", "c": "3"])
        #expect(labels.name == "m" && LabelSet().name == nil)
    }

    static let texts: [(LabelSet, String)] = [
        ([:], "{}"),
        (["__name__": "up"], "up"),
        (["a": "1"], #"{a="1"}"#),
        (["__name__": "up", "a": "x\"y\\z\n"], #"up{a="x\"y\\z\n"}"#),
        (["__name__": "a.b", "c": "1"], #"{"a.b", c="1"}"#),
        (["__name__": "up", "a.b": "ä"], #"up{"a.b"="ä"}"#),
    ]

    @Test("A series is printed as Prometheus prints it", arguments: texts)
    func prints(_ labels: LabelSet, _ text: String) { #expect(labels.description == text) }

    @Test func `the fingerprint is that of the peers`() {
        #expect(LabelSet().fingerprint.description == "cbf29ce484222325")
        // amtool shows this for an alert with these labels.
        let labels: LabelSet = ["alertname": "a", "b": "c"]
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in Array("alertname".utf8) + [0xFF] + Array("a".utf8) + [0xFF] + Array("b".utf8) + [0xFF]
            + Array("c".utf8) + [0xFF]
        { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        #expect(labels.fingerprint.rawValue == hash)
    }
}
