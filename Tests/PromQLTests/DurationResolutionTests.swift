import PromQL
import Streams
import Testing

@Suite struct DurationResolutionTests {
    @Test(
        "Durations are computed from the query's step and range",
        arguments: [
            ("a[step()]", "a[1m]"), ("a[step() * 2 + 5s]", "a[2m5s]"), ("a offset -range()", "a offset -1h"),
            ("a[max_of(step(), 5m):min_of(range(), 10s)]", "a[5m:10s]"), ("a[(2 ^ 3) % 5]", "a[3s]"),
            ("sum(rate(a[range() / 2])) + b offset (step() - 90s)", "sum(rate(a[30m])) + b offset -30s"),
            ("topk(1, a[step():] offset -(1h))", nil), ("a[1.0005 * 1]", "a[1s]"),
            ("-(abs(a offset step()))", "-(abs(a offset 1m))"), ("a offset (step() - 1m)", "a"),
        ] as [(String, String?)])
    func resolves(_ text: String, to wanted: String?) throws {
        guard let expression = try? PromQLParser.parse(text, options: .everything) else {
            #expect(wanted == nil)
            return
        }
        let resolved = try expression.resolvingDurations(step: .seconds(60), range: .seconds(3600))
        #expect(resolved.description == wanted)
    }

    @Test(
        "What is no duration is an error with its place",
        arguments: [
            ("a[step() - 2m]", "2:13: duration must be greater than 0"),
            ("a[5m:1s / (step() - 60)]", "5:23: division by zero"),
            ("a[1 % (step() - 60)]", "2:19: modulo by zero"),
            ("a offset (1e9 * 1e9)", "9:20: duration is out of range"),
            ("a[(1e9 ^ 1e9) * 2]", "2:17: duration is NaN or infinite"),
            ("a[(0 - step()) ^ 0.5]", "2:20: duration is NaN or infinite"),
        ])
    func refuses(_ text: String, message: String) throws {
        let expression = try PromQLParser.parse(text, options: .everything)
        let error = #expect(throws: DurationError.self) {
            try expression.resolvingDurations(step: .seconds(60), range: .seconds(3600))
        }
        #expect(error?.description == message)
    }
}
