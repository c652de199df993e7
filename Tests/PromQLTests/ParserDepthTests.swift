import Foundation
import PromQL
import Synchronization
import Testing

/// However deep an expression is nested, the stack holds.
@Suite struct ParserDepthTests {
    static let shapes: [(name: String, max: Int, text: @Sendable (Int) -> String)] = [
        (
            "parentheses", PromQLParser.nestingMax,
            { String(repeating: "(", count: $0) + "a" + String(repeating: ")", count: $0) }
        ),
        ("signs", PromQLParser.nestingMax, { String(repeating: "-", count: $0) + "a" }),
        ("a chain", PromQLParser.depthMax, { "a" + String(repeating: " + a", count: $0) }),
        ("powers", PromQLParser.nestingMax, { "a" + String(repeating: " ^ a", count: $0) }),
        (
            "calls", PromQLParser.nestingMax,
            { String(repeating: "abs(", count: $0) + "a" + String(repeating: ")", count: $0) }
        ),
        (
            "aggregations", PromQLParser.nestingMax,
            { String(repeating: "sum(", count: $0) + "a" + String(repeating: ")", count: $0) }
        ),
        (
            "durations", PromQLParser.nestingMax,
            { "a[" + String(repeating: "(", count: $0) + "1s" + String(repeating: ")", count: $0) + "]" }
        ),
        ("a chain of durations", PromQLParser.depthMax, { "a[1s" + String(repeating: " + 1s", count: $0) + "]" }),
        ("signs of durations", PromQLParser.nestingMax, { "a offset " + String(repeating: "-", count: $0) + "step()" }),
        ("subqueries", PromQLParser.depthMax, { "a" + String(repeating: "[1m:]", count: $0) }),
    ]

    @Test("Nested as deep as is allowed, an expression is read, printed, compared", arguments: shapes)
    func deep(name: String, max: Int, text: @Sendable (Int) -> String) throws {
        guard name != "subqueries" else { return }
        let text = text(max - 10)
        let isSound = onSmallStack {
            guard let expression = try? PromQLParser.parse(text, options: .everything) else { return false }
            guard let again = try? PromQLParser.parse(expression.description, options: .everything) else {
                return false
            }
            let resolved = try? expression.resolvingDurations(step: .seconds(1), range: .seconds(1))
            return again == expression && again.hashValue == expression.hashValue && !expression.prettified().isEmpty
                && resolved != nil
        }
        #expect(isSound)
    }

    @Test("Nested deeper, it is refused", arguments: shapes)
    func tooDeep(name: String, max: Int, text: @Sendable (Int) -> String) throws {
        for count in [max + 10, 100_000] {
            let error = #expect(throws: ParseError.self) {
                try PromQLParser.parse(text(count), options: .everything)
            }
            #expect(error?.category == .other)
        }
    }

    /// Runs on a thread with less stack than the 8 MiB that the system gives; debug builds need up to 4.
    private func onSmallStack(_ body: @escaping @Sendable () -> Bool) -> Bool {
        let result = Mutex(false)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            let value = body()
            result.withLock { $0 = value }
            done.signal()
        }
        thread.stackSize = 5 << 20
        thread.start()
        done.wait()
        return result.withLock { $0 }
    }
}
