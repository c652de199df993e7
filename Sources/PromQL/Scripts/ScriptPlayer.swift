import Streams

/// Plays a script over series in memory and says of each `eval` whether it held.
///
/// An instant query is asked in more ways than one, as Prometheus's own player does: as written; printed again with
/// `@` at its time on every selector, from other times; and as the middle step of a range query.
package struct ScriptPlayer: Sendable {
    package struct Outcome: Sendable {
        package enum Verdict: Sendable, Equatable {
            case passed
            case failed(String)
        }

        package let line: Int
        package let query: String
        package let verdict: Verdict
    }

    private let settings: EvaluationSettings
    private let options: ParserOptions
    private var store = MemorySeries()

    package init(settings: EvaluationSettings, options: ParserOptions = .everything) {
        self.settings = settings
        self.options = options
    }

    /// The settings that Prometheus's own scripts are written for.
    package static var scriptSettings: EvaluationSettings {
        var settings = EvaluationSettings()
        settings.samplesMax = 10_000
        settings.delaysNameRemoval = true
        settings.usesStartTimestamps = true
        return settings
    }

    /// The outcomes of all `eval`s, in the order of the script.
    package mutating func play(_ script: PromQLScript) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for command in script.commands {
            switch command {
            case .clear: store = MemorySeries()
            case .load(let load):
                do throws(Mismatch) {
                    try apply(load)
                } catch {
                    outcomes.append(Outcome(line: load.line, query: "load", verdict: .failed(error.description)))
                }
            case .evaluate(let example):
                let verdict = await verdict(of: example)
                outcomes.append(Outcome(line: example.line, query: example.query, verdict: verdict))
            }
        }
        return outcomes
    }

    private mutating func apply(_ load: ScriptLoad) throws(Mismatch) {
        var last: [LabelSet: Int] = [:]
        for (index, series) in load.series.enumerated() { last[series.labels] = index }
        var conversion = CustomBucketConversion()
        for (index, series) in load.series.enumerated() where last[series.labels] == index {
            let samples = try load.samples(of: series)
            store.append(series.labels, samples)
            if load.withCustomBuckets { conversion.add(series.labels, samples) }
        }
        do throws(CustomBucketConversion.Problem) {
            for (labels, samples) in try conversion.series() { store.append(labels, samples) }
        } catch {
            throw Mismatch(error.description)
        }
    }

    private func verdict(of example: ScriptCase) async -> Outcome.Verdict {
        let expression: Expression
        do throws(ParseError) {
            expression = try PromQLParser.parse(example.query, options: options)
        } catch {
            return failure(example, "\(error)")
        }
        do throws(Mismatch) {
            switch example.time {
            case .instant(let time): try await checkInstant(expression, example, time)
            case .range(let from, let through, let step):
                try await checkRange(expression, example, from, through, step)
            }
            return .passed
        } catch {
            return .failed(error.description)
        }
    }

    private func failure(_ example: ScriptCase, _ message: String) -> Outcome.Verdict {
        guard let expected = example.expectation.failure else { return .failed(message) }
        return expected.accepts(message) ? .passed : .failed("failed with another message: \(message)")
    }

    /// What a query gave, or its error's text, against what it should give.
    private func check(
        _ result: Result<QueryResult, EvaluationError>, _ text: String, _ example: ScriptCase
    ) throws(Mismatch) -> QueryResult? {
        switch result {
        case .failure(let error):
            guard let expected = example.expectation.failure else { throw Mismatch("\(text): \(error)") }
            guard expected.accepts("\(error)") else {
                throw Mismatch("\(text): failed with another message: \(error)")
            }
            return nil
        case .success(let result):
            if example.expectation.failure != nil { throw Mismatch("\(text): should fail, and did not") }
            try example.expectation.checkAnnotations(result, text)
            return result
        }
    }

    private func checkInstant(
        _ expression: Expression, _ example: ScriptCase, _ time: Timestamp
    ) async throws(Mismatch) {
        try await checkInstant(expression, example.query, example, time)
        guard let pinned = expression.pinned(to: time) else { return }
        let text = pinned.description
        let again: Expression
        do throws(ParseError) {
            again = try PromQLParser.parse(text, options: options)
        } catch {
            throw Mismatch("printed as \(text): \(error)")
        }
        let milliseconds = time.milliseconds
        let times =
            milliseconds == 0
            ? [-1000, 0, 1000] : [-10 * milliseconds, 0, milliseconds / 5, milliseconds, 10 * milliseconds]
        for time in times { try await checkInstant(again, text, example, Timestamp(milliseconds: time)) }
    }

    private func checkInstant(
        _ expression: Expression, _ text: String, _ example: ScriptCase, _ time: Timestamp
    ) async throws(Mismatch) {
        let evaluator = Evaluator(reader: store, settings: settings)
        let answer = await Result { () async throws(EvaluationError) in
            try await evaluator.instant(expression, at: time)
        }
        guard let result = try check(answer, text, example) else { return }
        let place = "\(text) at \(time.seconds)s"
        try example.expectation.checkInstant(result.value, place)
        if example.expectation.rangeVector != nil || example.expectation.string != nil { return }
        if expression.asksForQueryTimes { return }
        let ranged = await Result { () async throws(EvaluationError) in
            try await evaluator.range(
                expression, from: time - .seconds(60), through: time + .seconds(60), step: .seconds(60))
        }
        switch ranged {
        case .failure(let error): throw Mismatch("\(text) as a range query: \(error)")
        case .success(let ranged):
            if example.expectation.isOrdered { return }
            try example.expectation.checkMiddle(ranged.value, of: result.value, at: time, place)
        }
    }

    private func checkRange(
        _ expression: Expression, _ example: ScriptCase, _ from: Timestamp, _ through: Timestamp, _ step: Duration
    ) async throws(Mismatch) {
        let evaluator = Evaluator(reader: store, settings: settings)
        let answer = await Result { () async throws(EvaluationError) in
            try await evaluator.range(expression, from: from, through: through, step: step)
        }
        guard let result = try check(answer, example.query, example) else { return }
        try example.expectation.checkMatrix(result.value, from: from, step: step, example.query)
    }
}

extension ScriptLoad {
    fileprivate func samples(of series: SeriesNotation) throws(Mismatch) -> [MemorySeries.Sample] {
        let offsets = startOffsets[series.labels]
        var samples: [MemorySeries.Sample] = []
        for (place, value) in series.values.enumerated() {
            let time = Timestamp(milliseconds: Int64(place) &* step.wholeMilliseconds)
            var sample = MemorySeries.Sample(at: time, value: .nan)
            switch value {
            case .omitted: continue
            case .float(let value): sample.value = value
            case .stale: sample.value = StaleMarker.value
            case .histogram(let literal):
                if let flaw = literal.histogram.flaw { throw Mismatch("\(series.labels): \(flaw)") }
                sample.histogram = literal.histogram
            }
            sample.start = offsets?[place].map { time + .milliseconds($0) }
            samples.append(sample)
        }
        return samples
    }
}

extension Result {
    fileprivate init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

/// Why a case did not hold.
struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension Expression {
    /// Functions whose result depends on the time of evaluation whatever their arguments.
    private static let unpinnable: Set<String> = [
        "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end", "hour", "minute", "month", "year",
        "predict_linear", "range", "start", "step", "time", "timestamp",
    ]

    /// Whether it calls `start()`, `end()`, `range()` or `step()`, which differ between an instant and a range query.
    var asksForQueryTimes: Bool {
        let text = description
        return ["start()", "end()", "range()", "step()"].contains { text.contains($0) }
    }

    /// The expression with `@ time` on each selector and outermost subquery without one, and in the place of `@ start()`
    /// and `@ end()` everywhere; nil where that would change its meaning.
    func pinned(to time: Timestamp) -> Expression? {
        var isPinnable = true
        walk { expression in
            if case .call(let node) = expression, Self.unpinnable.contains(node.function.name) { isPinnable = false }
        }
        return isPinnable ? pin(Pin(time: time, isEverywhere: true)) : nil
    }

    private struct Pin {
        let time: Timestamp
        /// Not only in the place of the borders of the query.
        var isEverywhere: Bool

        func callAsFunction(_ at: AtModifier?) -> AtModifier? {
            switch at {
            case .timestamp: at
            case .start, .end: .timestamp(time)
            case nil: isEverywhere ? .timestamp(time) : nil
            }
        }
    }

    private func pin(_ at: Pin) -> Expression {
        switch self {
        case .number, .string: return self
        case .vectorSelector(var node):
            node.at = at(node.at)
            return .vectorSelector(node)
        case .matrixSelector(var node):
            node.selector.at = at(node.selector.at)
            return .matrixSelector(node)
        case .subquery(var node):
            // What is inside of a pinned subquery is evaluated at times of its own.
            node.at = at(node.at)
            node.inner = node.inner.pin(Pin(time: at.time, isEverywhere: false))
            return .subquery(node)
        case .unary(var node):
            node.operand = node.operand.pin(at)
            return .unary(node)
        case .binary(var node):
            node.left = node.left.pin(at)
            node.right = node.right.pin(at)
            return .binary(node)
        case .aggregation(var node):
            node.inner = node.inner.pin(at)
            node.parameter = node.parameter?.pin(at)
            return .aggregation(node)
        case .call(var node):
            node.arguments = node.arguments.map { $0.pin(at) }
            return .call(node)
        case .parenthesized(var node):
            node.inner = node.inner.pin(at)
            return .parenthesized(node)
        }
    }
}
