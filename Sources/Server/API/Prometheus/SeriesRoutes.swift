import HTTPTypes
import Pipelines
import Storage
import Streams

/// Which series there are: `series`, `labels` and `label/<name>/values`.
struct SeriesRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.api("series", methods: [.get, .post], services) { try await series($0.parameters) }
        routes.api("labels", methods: [.get, .post], services) { try await labels($0.parameters) }
        routes.api("label/:name/values", services) { try await values(of: $0.name, $0.parameters) }
    }

    private func series(_ parameters: RequestParameters) async throws -> APIAnswer {
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
        let sets = await services.graph.store.series(matching: selectors, from: start, to: end)
        return .labelSets(sets, limit: limit)
    }

    private func labels(_ parameters: RequestParameters) async throws -> APIAnswer {
        let limit = try parameters.limit()
        let (start, end) = try parameters.times()
        let names = await services.graph.store.labelNames(matching: try parameters.selectors(), from: start, to: end)
        return .texts(names, limit: limit)
    }

    private func values(of label: String, _ parameters: RequestParameters) async throws -> APIAnswer {
        let name = EscapedName.unescaped(label)
        if name.isEmpty { throw APIFailure.badData("invalid label name: \(quoted(name))") }
        let limit = try parameters.limit()
        let (start, end) = try parameters.times()
        let values = await services.graph.store.labelValues(
            name, matching: try parameters.selectors(), from: start, to: end)
        return .texts(values, limit: limit)
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
