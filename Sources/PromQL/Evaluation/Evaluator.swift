package import Streams

/// Evaluates expressions over what a reader has: first reads every selector's samples, and makes the tables of leaves while
/// it does, then computes without waiting.
package struct Evaluator<Reader: SeriesReader>: Sendable {
    let reader: Reader
    package var settings: EvaluationSettings

    package init(reader: Reader, settings: EvaluationSettings = EvaluationSettings()) {
        self.reader = reader
        self.settings = settings
    }

    package func instant(_ expression: Expression, at time: Timestamp) async throws(EvaluationError) -> QueryResult {
        try await instant(PreparedExpression(expression), at: time)
    }

    /// The value at one time.
    package func instant(
        _ prepared: PreparedExpression, at time: Timestamp
    ) async throws(EvaluationError) -> QueryResult {
        let milliseconds = Self.clamped(time)
        let query = QueryTimes(start: milliseconds, end: milliseconds, step: 0)
        let program = try prepared.program(for: query)
        var evaluation = try await begin(program, query)
        return try evaluation.instantResult(program)
    }

    package func range(
        _ expression: Expression, from start: Timestamp, through end: Timestamp, step: Duration
    ) async throws(EvaluationError) -> QueryResult {
        try await range(PreparedExpression(expression), from: start, through: end, step: step)
    }

    /// The values at `start`, `start + step`, ... up to `end`, always a matrix.
    package func range(
        _ prepared: PreparedExpression, from start: Timestamp, through end: Timestamp, step: Duration
    ) async throws(EvaluationError) -> QueryResult {
        guard step.wholeMilliseconds > 0 else {
            throw .execution("zero or negative query resolution step widths are not accepted. Try a positive integer")
        }
        guard start <= end else { throw .execution("end timestamp must not be before start time") }
        let query = QueryTimes(start: Self.clamped(start), end: Self.clamped(end), step: step.wholeMilliseconds)
        guard query.grid.count <= settings.stepsMax else { throw .tooManySteps(limit: settings.stepsMax) }
        let program = try prepared.program(for: query)
        guard program.type == .vector || program.type == .scalar else {
            let kind = program.type == .matrix ? "range vector" : "string"
            throw .execution(
                "invalid expression type \"\(kind)\" for range query, must be Scalar or instant Vector")
        }
        var evaluation = try await begin(program, query)
        return try evaluation.rangeResult(program)
    }

    /// Far from the ends of 64 bits, so that sums of times can't overflow.
    private static func clamped(_ time: Timestamp) -> Int64 { min(max(time.milliseconds, -(1 << 60)), 1 << 60) }

    private func begin(_ program: Program, _ query: QueryTimes) async throws(EvaluationError) -> Evaluation {
        let blank = Evaluation(program, query, settings)
        let needs = blank.needs(of: program)
        var evaluation = blank
        try evaluation.begin(try await read(needs.requests))
        for leaf in needs.leaves { try await make(leaf, blank, &evaluation) }
        return evaluation
    }

    /// The blocks in the order of the requests, equal requests read once.
    private func read(_ requests: [SelectRequest?]) async throws(EvaluationError) -> [SeriesBlock] {
        var unique: [SelectRequest] = []
        var places: [Int?] = []
        for request in requests {
            guard let request else {
                places.append(nil)
                continue
            }
            if let place = unique.firstIndex(of: request) {
                places.append(place)
            } else {
                places.append(unique.count)
                unique.append(request)
            }
        }
        let blocks = try await orFailing { () throws(ReadError) in try await readAll(unique) }
        return places.map { $0.map { blocks[$0] } ?? SeriesBlock() }
    }

    private func readAll(_ requests: [SelectRequest]) async throws(ReadError) -> [SeriesBlock] {
        switch requests.count {
        case 0: []
        case 1: [try await reader.select(requests[0])]
        default: try await readConcurrently(requests)
        }
    }

    /// A reader's failure as the query's.
    func orFailing<Result>(
        _ read: () async throws(ReadError) -> Result
    ) async throws(EvaluationError) -> Result {
        do throws(ReadError) {
            return try await read()
        } catch {
            switch error {
            case .tooManySamples: throw .tooManySamples
            case .unavailable(let reason): throw .unavailable(reason)
            }
        }
    }

    /// What came of one of several requests.
    private struct Reading: Sendable {
        var place: Int
        var block: SeriesBlock?
        var failure: ReadError?
    }

    private func readConcurrently(_ requests: [SelectRequest]) async throws(ReadError) -> [SeriesBlock] {
        var blocks = Array(repeating: SeriesBlock(), count: requests.count)
        var failure: ReadError?
        // Each task answers with a plain value: a tuple with a result of a typed error was seen to arrive damaged in an
        // optimised build (Swift 6.3.1).
        await withTaskGroup(of: Reading.self) { group in
            for (place, request) in requests.enumerated() {
                group.addTask { await self.read(request, at: place) }
            }
            for await reading in group {
                if let block = reading.block {
                    blocks[reading.place] = block
                } else {
                    failure = failure ?? reading.failure
                    group.cancelAll()
                }
            }
        }
        if let failure { throw failure }
        return blocks
    }

    private func read(_ request: SelectRequest, at place: Int) async -> Reading {
        do throws(ReadError) {
            return Reading(place: place, block: try await reader.select(request))
        } catch {
            return Reading(place: place, failure: error)
        }
    }
}
