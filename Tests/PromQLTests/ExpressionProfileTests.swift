import PromQL
import Streams
import Testing

@Suite struct ExpressionProfileTests {
    struct Case: Sendable {
        let query: String
        let reach: Duration
        let change: ExpressionProfile.Change
        let isElementWise: Bool

        init(
            _ query: String, reach: Duration, changes change: ExpressionProfile.Change, elementWise: Bool = false
        ) {
            self.query = query
            self.reach = reach
            self.change = change
            isElementWise = elementWise
        }
    }

    static let cases = [
        Case(#"status{job="a"} == 1"#, reach: .seconds(300), changes: .bySamples, elementWise: true),
        Case("abs(-loss) * 2 > 0.5", reach: .seconds(300), changes: .bySamples, elementWise: true),
        Case("rate(loss[10m]) > 1", reach: .seconds(600), changes: .byTime, elementWise: true),
        Case("time() - timestamp(loss) > 60", reach: .seconds(300), changes: .byTime, elementWise: true),
        Case("loss offset 1m", reach: .seconds(360), changes: .byTime, elementWise: true),
        Case("max_over_time(rate(x[1m])[1h:1m] offset 5m)", reach: .seconds(3960), changes: .byTime, elementWise: true),
        Case(#"{job="a"} > 1"#, reach: .seconds(300), changes: .bySamples),
        Case("sum(loss)", reach: .seconds(300), changes: .bySamples),
        Case("loss > scalar(limit)", reach: .seconds(300), changes: .bySamples),
        Case("loss > limit", reach: .seconds(300), changes: .bySamples),
        Case("absent(loss)", reach: .seconds(300), changes: .bySamples),
        Case("absent_over_time(loss[1h])", reach: .seconds(3600), changes: .byTime),
        Case(#"label_replace(loss, "a", "b", "", "")"#, reach: .seconds(300), changes: .bySamples),
        Case("loss @ 100", reach: .zero, changes: .bySamples, elementWise: true),
        Case("hour() > 8", reach: .zero, changes: .byTime),
        Case("1 + 1", reach: .zero, changes: .never),
    ]

    @Test("An expression's dependencies are known without evaluating it", arguments: cases)
    func knows(_ example: Case) throws {
        let profile = ExpressionProfile(try PromQLParser.parse(example.query, options: .everything))
        #expect(profile.reach == example.reach)
        #expect(profile.change == example.change)
        #expect(profile.isElementWise == example.isElementWise)
    }

    @Test func `every selector is told with its times`() throws {
        let profile = ExpressionProfile(try PromQLParser.parse("a + on () sum_over_time(b[1m] offset 2m)"))
        #expect(profile.selections.map(\.reach) == [.seconds(300), .seconds(180)])
        #expect(profile.selections.map(\.delay) == [.zero, .seconds(120)])
        #expect(profile.dependsOn(["__name__": "b", "x": "y"]))
        #expect(!profile.dependsOn(["__name__": "c"]))
    }
}
