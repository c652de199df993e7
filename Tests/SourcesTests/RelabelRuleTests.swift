import Sources
import Streams
import Testing

@Suite struct RelabelRuleTests {
    @Test func `upper and lower case are Go's, scalar by scalar`() throws {
        func mapped(_ action: RelabelRule.Action, _ text: String) throws -> String? {
            let rule = RelabelRule(
                action, sourceLabels: ["a"], regex: try RegularExpression("(.*)"), targetLabel: "b")
            return [rule].relabel(["a": text])?["b"]
        }
        #expect(try mapped(.uppercase, "straße ä") == "STRAßE Ä")
        #expect(try mapped(.lowercase, "ÄBC") == "äbc")
    }
}
