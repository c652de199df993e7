import HTTPTypes
import Pipelines
import Storage
import Streams

/// Which series there are: `series`, `labels` and `label/<name>/values`.
struct SeriesRoutes: Sendable {
    let services: ServerServices
    let runner: QueryRunner

    func add(to routes: RouteTable) {
        routes.api("series", methods: [.get, .post], services) { try await series($0) }
        routes.api("labels", methods: [.get, .post], services) { try await labels($0) }
        routes.api("label/:name/values", services) { try await values($0) }
    }

    private func series(_ request: APIRequest) async throws -> APIAnswer {
        let parameters = request.parameters
        try parameters.requireWellFormed()
        guard !parameters.all("match[]").isEmpty else { throw APIFailure.badData("no match[] parameter provided") }
        let limit = try parameters.limit()
        let (start, end) = try parameters.times()
        let selectors: [[Matcher]]
        do throws(APIFailure) {
            selectors = try parameters.selectors()
        } catch {
            throw APIFailure.badData(parameter: "match[]", error.message)
        }
        return try await runner.read(on: request.channel) { [runner] store in
            let sets = await store.series(matching: selectors, from: start, to: end)
            var answer = APIAnswer.labelSets(sets, limit: limit)
            answer.held = (runner.executor, try runner.answers.hold(AnswerSize.bytes(of: sets)))
            return answer
        }
    }

    private func labels(_ request: APIRequest) async throws -> APIAnswer {
        let limit = try request.parameters.limit()
        let (start, end) = try request.parameters.times()
        let selectors = try request.parameters.selectors()
        return try await texts(request, limit: limit) {
            await $0.labelNames(matching: selectors, from: start, to: end)
        }
    }

    private func values(_ request: APIRequest) async throws -> APIAnswer {
        let name = EscapedName.unescaped(request.name)
        if name.isEmpty { throw APIFailure.badData("invalid label name: \(quoted(name))") }
        let limit = try request.parameters.limit()
        let (start, end) = try request.parameters.times()
        let selectors = try request.parameters.selectors()
        return try await texts(request, limit: limit) {
            await $0.labelValues(name, matching: selectors, from: start, to: end)
        }
    }

    private func texts(
        _ request: APIRequest, limit: Int?, _ read: @escaping @Sendable (SeriesStore) async -> [String]
    ) async throws -> APIAnswer {
        try await runner.read(on: request.channel) { [runner] store in
            let texts = await read(store)
            var answer = APIAnswer.texts(texts, limit: limit)
            answer.held = (runner.executor, try runner.answers.hold(AnswerSize.bytes(of: texts)))
            return answer
        }
    }
}

/// Names with any characters inside of classic ones, as clients write them where only those may stand: `U__` in front,
/// `__` for an underscore, `_<hex>_` for any other character (Prometheus's "values" escaping).
enum EscapedName {
    /// A name that is not well escaped stays as it is.
    static func unescaped(_ text: String) -> String {
        guard text.hasPrefix("U__") else { return text }
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars.dropFirst(3)
        while let scalar = rest.popFirst() {
            guard scalar == "_" else {
                result.append(scalar)
                continue
            }
            guard let end = rest.firstIndex(of: "_") else { return text }
            let digits = String(rest[..<end])
            rest = rest[rest.index(after: end)...]
            if digits.isEmpty {
                result.append("_")
                continue
            }
            // No more digits than Prometheus reads.
            guard digits.utf8.count <= 5, digits.utf8.first != UInt8(ascii: "+"), let code = UInt32(digits, radix: 16),
                let unescaped = Unicode.Scalar(code)
            else { return text }
            result.append(unescaped)
        }
        return String(result)
    }
}
