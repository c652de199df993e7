import Streams

/// What is asked of the search endpoints.
struct SearchParameters: Sendable {
    enum Order: Sendable { case rising, falling, score }

    let selectors: [[Matcher]]
    let start: Timestamp
    let end: Timestamp
    let order: Order
    let limit: Int
    /// How many results a line of the answer has.
    let batchSize: Int
    let includesScore: Bool
    private let terms: [String]
    private let algorithm: SearchTerm.Algorithm
    private let threshold: Double
    private let isCaseSensitive: Bool

    private static let termsMax = 32
    /// `web.search.max-limit` of Prometheus.
    private static let limitMax = 10_000

    init(_ parameters: RequestParameters, endpoint: String, now: Timestamp) throws(APIFailure) {
        try parameters.requireWellFormed()
        do throws(APIFailure) {
            start = try parameters.time("start") ?? now - .seconds(3600)
            end = try parameters.time("end") ?? now
        } catch {
            // Here the parameter is named in the message only.
            throw .badData(
                String(error.message[(error.message.firstRange(of: ": ")?.upperBound ?? error.message.startIndex)...]))
        }
        if end < start { throw .badData("end timestamp must not be before start timestamp") }
        selectors = try parameters.selectors()
        terms = parameters.all("search[]")
        if terms.count > Self.termsMax {
            throw .badData("too many search[] terms: got \(terms.count), maximum is \(Self.termsMax)")
        }
        threshold = try Self.threshold(parameters)
        algorithm = try Self.algorithm(parameters)
        isCaseSensitive = try Self.boolean("case_sensitive", parameters) ?? true
        includesScore = try Self.boolean("include_score", parameters) ?? false
        order = try Self.order(parameters, endpoint, hasTerms: !terms.isEmpty)
        limit = try Self.number("limit", parameters) ?? 100
        if limit > Self.limitMax {
            throw .badData(
                "limit \(limit) exceeds the configured maximum (\(Self.limitMax), see --web.search.max-limit)")
        }
        batchSize = try Self.number("batch_size", parameters) ?? 100
    }

    private static func threshold(_ parameters: RequestParameters) throws(APIFailure) -> Double {
        guard let text = parameters["fuzz_threshold"] else { return 0 }
        guard let number = Int(text), (0...100).contains(number) else {
            throw .badData("invalid fuzz_threshold \(quoted(text)): must be 0-100")
        }
        return Double(number) / 100
    }

    private static func algorithm(_ parameters: RequestParameters) throws(APIFailure) -> SearchTerm.Algorithm {
        guard let text = parameters["fuzz_alg"] else { return .subsequence }
        guard let algorithm = SearchTerm.Algorithm(rawValue: text) else {
            let known = SearchTerm.Algorithm.allCases.map(\.rawValue).joined(separator: " ")
            throw .badData("unsupported fuzz_alg \(quoted(text)): must be one of [\(known)]")
        }
        return algorithm
    }

    static func boolean(_ name: String, _ parameters: RequestParameters) throws(APIFailure) -> Bool? {
        guard let text = parameters[name] else { return nil }
        guard let value = RequestParameters.boolean(text) else {
            throw .badData("invalid \(name) \(quoted(text)): must be boolean")
        }
        return value
    }

    private static func number(_ name: String, _ parameters: RequestParameters) throws(APIFailure) -> Int? {
        guard let text = parameters[name] else { return nil }
        guard let number = Int(text), number > 0 else {
            throw .badData("invalid \(name) \(quoted(text)): must be a positive integer")
        }
        return number
    }

    private static func order(
        _ parameters: RequestParameters, _ endpoint: String, hasTerms: Bool
    ) throws(APIFailure) -> Order {
        let (by, direction) = (parameters["sort_by"], parameters["sort_dir"])
        if let direction {
            if by == nil { throw .badData("sort_dir is only valid when sort_by is set") }
            if by == "score" { throw .badData("sort_dir is not supported for sort_by=score") }
            guard direction == "asc" || direction == "dsc" else {
                throw .badData("invalid sort_dir \(quoted(direction)): must be \"asc\" or \"dsc\"")
            }
        }
        switch by {
        case nil: return .rising
        case "alpha": return direction == "dsc" ? .falling : .rising
        case "score":
            if !hasTerms { throw .badData("sort_by=score requires search[] to be set") }
            return .score
        case .some(let by):
            throw .badData("invalid sort_by \(quoted(by)) for \(endpoint): must be \"alpha\" or \"score\"")
        }
    }

    // MARK: matching

    struct Match: Sendable {
        var name: String
        var score: Double
    }

    /// So many names are looked at without asking whether anybody still waits.
    private static let sliceMax = 4096

    /// Those of the names, which are in order, that match one of the terms, in the order that is asked for.
    /// - Throws: when the task is cancelled.
    func matches(in names: [String]) throws(CancellationError) -> [Match] {
        let terms = terms.filter { !$0.isEmpty }.map {
            SearchTerm(isCaseSensitive ? $0 : $0.lowercased(), algorithm, threshold: threshold)
        }
        var matches: [Match] = []
        for (place, name) in names.enumerated() {
            if place % Self.sliceMax == 0, Task.isCancelled { throw CancellationError() }
            guard !terms.isEmpty else {
                matches.append(Match(name: name, score: 1))
                continue
            }
            let scalars = Array((isCaseSensitive ? name : name.lowercased()).unicodeScalars)
            if let score = terms.compactMap({ $0.score(scalars) }).max() {
                matches.append(Match(name: name, score: score))
            }
        }
        switch order {
        case .rising: return matches
        case .falling: return matches.reversed()
        case .score:
            return matches.enumerated().sorted {
                ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
            }.map(\.element)
        }
    }
}
