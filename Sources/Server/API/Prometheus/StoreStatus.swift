import Pipelines
import Storage
import Streams

/// `status/tsdb`: how many series there are of what.
struct StoreStatus {
    private let store: SeriesStore

    init(_ services: ServerServices) { store = services.graph.store }

    private static let limitMax = 10_000

    func answer(_ limit: Int) async -> APIAnswer {
        let found = await store.cardinality(limit: limit)
        let counts = store.counts
        return APIAnswer([
            "headStats": [
                "numSeries": .integer(Int64(counts.series)), "numLabelPairs": .integer(Int64(found.labelPairs)),
                "chunkCount": .integer(Int64(counts.chunks)), "minTime": .integer(found.times?.lowerBound ?? .max),
                "maxTime": .integer(found.times?.upperBound ?? .min),
            ],
            "seriesCountByMetricName": Self.list(found.seriesByMetric),
            "labelValueCountByLabelName": Self.list(found.valuesByLabel),
            "memoryInBytesByLabelName": Self.list(found.bytesByLabel),
            "seriesCountByLabelValuePair": Self.list(found.seriesByPair),
        ])
    }

    func limit(_ parameters: RequestParameters) throws(APIFailure) -> Int {
        guard let text = parameters["limit"] else { return 10 }
        guard let limit = Int(text), limit >= 1 else { throw .badData("limit must be a positive number") }
        if limit > Self.limitMax { throw .badData("limit must not exceed \(Self.limitMax)") }
        return limit
    }

    private static func list(_ counts: [StoreCardinality.Count]) -> JSONValue {
        .array(counts.map { ["name": .string($0.name), "value": .integer(Int64($0.count))] })
    }
}
