import Pipelines
import PromQL
import Storage
import Streams

/// What metric families are, as Prometheus's API tells it: `metadata`, over everything that samples come from, and
/// `targets/metadata`.
struct MetadataRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.api("metadata", services) { APIAnswer(try metadata($0.parameters)) }
        routes.api("targets/metadata", services) { APIAnswer(try targetMetadata($0.parameters)) }
    }

    /// Nil: no limit.
    private func limit(_ name: String, _ parameters: RequestParameters) throws(APIFailure) -> Int? {
        guard let text = parameters[name] else { return nil }
        guard let limit = Int(text) else { throw .badData("\(name) must be a number") }
        return limit < 0 ? nil : limit
    }

    private func metadata(_ parameters: RequestParameters) throws(APIFailure) -> JSONValue {
        let limit = try limit("limit", parameters)
        let perMetric = try self.limit("limit_per_metric", parameters)
        let families = services.graph.ingest.metadata.families(named: parameters["metric"])
        return .object(
            families.prefix(limit ?? .max).map { name, descriptions in
                // Here 0 is no limit, as for Prometheus.
                let shown = descriptions.prefix(perMetric.flatMap { $0 == 0 ? nil : $0 } ?? .max)
                return .init(name, .array(shown.map { .object(Self.members(of: $0)) }))
            })
    }

    private static func members(of family: FamilyMetadata) -> [JSONValue.Member] {
        [
            .init("type", .string(family.type.rawValue)), .init("help", .string(family.help)),
            .init("unit", .string(family.unit)),
        ]
    }

    private func targetMetadata(_ parameters: RequestParameters) throws(APIFailure) -> JSONValue {
        let limit = try limit("limit", parameters)
        let matchers = try matchers(parameters)
        let metric = parameters["metric"]
        let targets = services.graph.ingest.metadata.targets(named: metric) { matchers?.accept($0) ?? true }
        var entries: [JSONValue] = []
        for target in targets {
            // A target is told of in full, or not at all.
            if let limit, entries.count >= limit { break }
            for family in target.families {
                var members: [JSONValue.Member] = [.init("target", .labels(target.labels))]
                if metric == nil { members.append(.init("metric", .string(family.family))) }
                entries.append(.object(members + Self.members(of: family)))
            }
        }
        return .array(entries)
    }

    /// Nil: every target is asked for.
    private func matchers(_ parameters: RequestParameters) throws(APIFailure) -> [Matcher]? {
        guard let text = parameters["match_target"] else { return nil }
        do throws(ParseError) {
            return try PromQLParser.parseSelector(text)
        } catch {
            throw .badData(parameter: "match_target", "\(error)")
        }
    }
}
