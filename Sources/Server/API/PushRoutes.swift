import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Sources
import Storage
import Streams

package enum PushPaths {
    /// Where a body is a stream that may take as long as it likes.
    package static let stream = "/api/v1/import/prometheus"
}

/// What is pushed in: the Pushgateway API, plain streams, and Prometheus's remote write.
struct PushRoutes: Sendable {
    let services: ServerServices
    /// What stands before the paths of this API in a request's path.
    let prefix: String

    func add(to routes: RouteTable) {
        routes.put("/metrics/**") { request, _ in await push(request, replacing: true) }
        routes.post("/metrics/**") { request, _ in await push(request, replacing: false) }
        routes.delete("/metrics/**") { request, _ in await delete(request) }
        routes.post(PushPaths.stream) { request, _ in await importText(request) }
        routes.post("/api/v1/write") { request, _ in await remoteWrite(request) }
        // What clients of Prometheus try; told as it tells what is switched off.
        routes.post("/api/v1/read") { _, _ in
            HTTPFailure(.notFound, "remote read is not available: ask /api/v1/query_range").textResponse
        }
        routes.post("/api/v1/otlp/v1/metrics") { _, _ in
            HTTPFailure(.notFound, "the OTLP receiver is not available: write to /api/v1/write").textResponse
        }
    }

    // MARK: Pushgateway

    private func push(_ request: Request, replacing: Bool) async -> Response {
        await answer(request) { services throws in
            let gateway = try services.gateway()
            guard let key = try groupingKey(of: request) else { return Self.notFound }
            if key.isRedirect { return Self.redirect(request) }
            let reader = RequestBodyReader(bytesMax: gateway.settings.bodyBytesMax)
            try await reader.withWhole(of: request, in: services.bodies) { body in
                do throws(PushGateway.Refusal) {
                    try await gateway.push(Array(body.readableBytesView), to: key.key, replacing: replacing)
                } catch {
                    throw HTTPFailure(error)
                }
            }
            return Response(status: gateway.settings.checksConsistency ? .ok : .accepted)
        }
    }

    private func delete(_ request: Request) async -> Response {
        await answer(request) { services in
            guard let key = try groupingKey(of: request) else { return Self.notFound }
            if key.isRedirect { return Self.redirect(request) }
            let gateway = try services.gateway()
            do throws(PushGateway.Refusal) {
                try await gateway.delete(key.key)
            } catch {
                throw HTTPFailure(error)
            }
            return Response(status: .accepted)
        }
    }

    /// Nil: no path of the Pushgateway API. An empty job is redirected, as the original's router does.
    private func groupingKey(of request: Request) throws(HTTPFailure) -> (key: GroupingKey, isRedirect: Bool)? {
        let path = request.uri.path
        let prefix = prefix + "/metrics/job"
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        guard rest.hasPrefix("/") || rest.hasPrefix("@base64/") else { return nil }
        if rest == "/" { return (GroupingKey(labels: [:]), true) }
        do throws(GroupingKey.Malformed) {
            return (try GroupingKey(path: rest), false)
        } catch {
            throw HTTPFailure(.badRequest, error.reason)
        }
    }

    private static let notFound = HTTPFailure(.notFound, "no such path; push to /metrics/job/<job>").textResponse

    private static func redirect(_ request: Request) -> Response {
        let path = request.uri.path
        return Response(status: .permanentRedirect, headers: [.location: String(path.dropLast())])
    }

    // MARK: streams

    /// How many batches of a body of known length are held back until all of it has been read.
    private static let heldBatchesMax = 10
    /// What a held sample of a new series takes, about.
    private static let heldSampleBytes = 256

    /// Takes a text exposition of any length. `extra_label=name=value` (as often as wanted) lays labels over the series.
    ///
    /// A body of known length is all or nothing as long as it has no more than 100,000 samples. A chunked one is a stream:
    /// what arrives is applied at once, and an error tells how much was.
    private func importText(_ request: Request) async -> Response {
        await answer(request) { services in
            let push = try services.gateway().settings
            let extra = try extraLabels(of: request)
            let isStream = request.headers[.contentLength] == nil
            let format = Self.streamFormat(of: request)
            services.cache.begin(epoch: services.graph.ingest.epoch)
            var parser = StreamParser(
                at: services.clock.now(), context: extra.isEmpty ? 0 : extra.fingerprint.rawValue,
                cache: services.cache, settings: .init(lineBytesMax: push.lineBytesMax, format: format))
            var taken = 0
            var report = AppendReport()
            var held: [UnresolvedBatch] = []
            var heldBytes = 0
            defer { services.bodies.giveBack(heldBytes) }
            do {
                try await RequestBodyReader(bytesMax: .max).forEach(of: request) { piece in
                    // A stream may outlive the ids that were known when it began.
                    services.cache.begin(epoch: services.graph.ingest.epoch)
                    piece.withUnsafeReadableBytes { parser.feed($0, at: services.clock.now()) }
                    while let batch = try parser.next() { held.append(batch) }
                    if isStream, let batch = parser.takePartial() { held.append(batch) }
                    if isStream || held.count > Self.heldBatchesMax {
                        for batch in held { report = report + (try await submit(batch, extra, from: "import", &taken)) }
                        held.removeAll()
                        services.bodies.giveBack(heldBytes)
                        heldBytes = 0
                    }
                    let bytes = held.reduce(0) { $0 + $1.count } * Self.heldSampleBytes
                    try services.bodies.takeOrRefuse(bytes - heldBytes)
                    heldBytes = bytes
                }
                while let batch = try parser.finish() { held.append(batch) }
                for batch in held { report = report + (try await submit(batch, extra, from: "import", &taken)) }
            } catch let error as ExpositionError {
                throw HTTPFailure(.badRequest, "\(error); \(Self.applied(taken))")
            } catch let slow as SlowBody {
                throw SlowBody(message: "\(slow.message); \(Self.applied(taken))")
            }
            if let problem = Self.problem(report, of: taken) { throw HTTPFailure(.badRequest, problem) }
            return Response(status: .noContent)
        }
    }

    private static func applied(_ count: Int) -> String {
        count == 0 ? "nothing was applied" : "\(count) samples before it were applied"
    }

    /// Everything but OpenMetrics is read as the text format, whatever it is called: `curl` calls it a form.
    private static func streamFormat(of request: Request) -> ExpositionFormat {
        let type = request.headers[.contentType]?.lowercased() ?? ""
        return type.hasPrefix("application/openmetrics-text") ? .openMetrics : .text
    }

    private func extraLabels(of request: Request) throws(HTTPFailure) -> LabelSet {
        var labels: [Label] = []
        let parameters = RequestParameters(query: request.uri.query ?? "")
        if let malformed = parameters.malformed {
            throw HTTPFailure(.badRequest, "the URL can't be read: \(malformed)")
        }
        for text in parameters.all("extra_label") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw HTTPFailure(.badRequest, "extra_label=\(quoted(String(text.prefix(64)))) is not name=value")
            }
            labels.append(Label(String(parts[0]), String(parts[1])))
        }
        return LabelSet(labels)
    }

    // MARK: remote write

    private func remoteWrite(_ request: Request) async -> Response {
        await answer(request) { services in
            do throws(RemoteWriteError) {
                try RemoteWriteDecoder.check(
                    contentType: request.headers[.contentType], contentEncoding: request.headers[.contentEncoding])
            } catch {
                throw HTTPFailure(error)
            }
            _ = try services.gateway()
            let settings = RemoteWriteDecoder.Settings()
            let reader = RequestBodyReader(bytesMax: settings.bodyBytesMax)
            let batch = try await reader.withWhole(of: request, in: services.bodies) { body in
                try decode(body, settings)
            }
            var taken = 0
            let report = try await submit(batch, LabelSet(), from: "remote_write", &taken)
            if let problem = Self.problem(report, of: taken) { throw HTTPFailure(.badRequest, problem) }
            return Response(status: .noContent)
        }
    }

    private func decode(
        _ body: ByteBuffer, _ settings: RemoteWriteDecoder.Settings
    ) throws(HTTPFailure) -> UnresolvedBatch {
        services.cache.begin(epoch: services.graph.ingest.epoch)
        let decoder = RemoteWriteDecoder(cache: services.cache, settings: settings)
        let decoded: Result<RemoteWriteDecoder.Request, RemoteWriteError> = body.withUnsafeReadableBytes { bytes in
            Result { () throws(RemoteWriteError) in try decoder.decode(bytes) }
        }
        do throws(RemoteWriteError) {
            return try decoded.get().batch
        } catch {
            throw HTTPFailure(error)
        }
    }

    // MARK: common

    private func submit(
        _ batch: UnresolvedBatch, _ extra: LabelSet, from source: String, _ taken: inout Int
    ) async throws -> AppendReport {
        var batch = batch
        let gateway = try services.gateway()
        let ingest = services.graph.ingest
        let unknown = extra.isEmpty ? batch.unknown : batch.unknown.map { $0.merging(extra) }
        let exemplars = batch.exemplars.map { $0.laid(under: extra) }
        do throws(PushGateway.Refusal) {
            try gateway.check(unknown, from: source)
            // They may come without a sample of their series.
            try gateway.check(exemplars.compactMap(\.labels), from: source)
        } catch {
            throw HTTPFailure(error).after(taken)
        }
        do throws(IngestError) {
            let ids = unknown.isEmpty ? [] : try await ingest.intern(unknown)
            batch.resolve(ids, into: services.cache)
            let report = try await ingest.submit(batch.samples, from: source, patience: gateway.settings.patience)
            taken += batch.samples.count
            if !batch.metadata.isEmpty { ingest.tell(batch.metadata, from: .source(source), replacing: false) }
            if !exemplars.isEmpty { await ingest.keep(exemplars) }
            return report
        } catch {
            throw HTTPFailure(error).after(taken)
        }
    }

    private static func problem(_ report: AppendReport, of count: Int) -> String? {
        guard report.refused > 0 else { return nil }
        var parts: [String] = []
        if report.outOfOrder > 0 { parts.append("\(report.outOfOrder) out of order") }
        if report.duplicate > 0 { parts.append("\(report.duplicate) with another value for a time that has one") }
        if report.outOfBounds > 0 { parts.append("\(report.outOfBounds) too old or too far in the future") }
        if report.unknownSeries > 0 { parts.append("\(report.unknownSeries) of series that have just ended") }
        return "\(report.refused) of \(count) samples were not stored: " + parts.joined(separator: ", ")
    }

    private func answer(
        _ request: Request, _ body: (ServerServices) async throws -> Response
    ) async -> Response {
        do {
            return try await body(services)
        } catch let failure as HTTPFailure {
            services.telemetry.refused(status: failure.status.code)
            return failure.textResponse
        } catch let slow as SlowBody {
            // It was counted when it was noticed.
            return HTTPFailure(.requestTimeout, slow.message).textResponse
        } catch {
            // The connection broke, or the body's framing did; nobody may be there to read this.
            return HTTPFailure(.badRequest, "the request's body can't be read").textResponse
        }
    }
}

extension SeriesExemplar {
    fileprivate func laid(under extra: LabelSet) -> SeriesExemplar {
        guard !extra.isEmpty, let labels else { return self }
        return SeriesExemplar(.labels(labels.merging(extra)), exemplar)
    }

    /// Of its series, where it brings them.
    fileprivate var labels: LabelSet? {
        if case .labels(let labels) = series { labels } else { nil }
    }
}

extension HTTPFailure {
    /// Says how much of the body was applied before.
    fileprivate func after(_ taken: Int) -> HTTPFailure {
        var failure = self
        if taken > 0 { failure.message += "; the \(taken) samples before were applied" }
        return failure
    }

    init(_ error: PushGateway.Refusal) {
        switch error {
        case .invalid(let reason): self.init(.badRequest, reason)
        case .ingest(let error): self.init(error)
        }
    }

    init(_ error: RemoteWriteError) {
        self.init(HTTPResponse.Status(code: error.status), error.reason)
    }
}
