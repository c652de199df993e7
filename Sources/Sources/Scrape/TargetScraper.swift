import Logging
import Streams
import Transport
import Synchronization

/// Scrapes one target on its interval: asks, parses, relabels, and gives what came and how it went to the ingest.
actor TargetScraper {
    /// What a scrape needs beside its target.
    struct Tools: Sendable {
        var client: HTTPClient
        var ingest: any Ingest
        var clock: any WallClock
        var telemetry: ScrapeTelemetry
        var logger: Logger
    }

    /// Why a scrape brought nothing; shown as the target's last error.
    enum Failure: Error, Sendable, CustomStringConvertible {
        case transport(TransportError)
        case status(Int)
        case exposition(ExpositionError)
        case limit(String)
        case missingName
        /// Not the target's fault: the graph took nothing. Leaves no `up 0`.
        case refused(IngestError)

        var description: String {
            switch self {
            case .transport(let error): error.description
            case .status(let status): "server returned HTTP status \(status)"
            case .exposition(let error): error.description
            case .limit(let reason): reason
            case .missingName: "metric name is missing"
            case .refused(.saturated): "the graph is full"
            case .refused(.limit(let reason)): reason
            case .refused(.closed): "the graph is shutting down"
            }
        }
    }

    private let target: ScrapeTarget
    private let settings: ScrapeSettings
    private let tools: Tools
    private let labels: SampleLabels
    private let status: TargetStatusBoard
    private let parser: ScrapeParser
    private let request: HTTPRequest
    private var report: ReportSeries
    private var batch = SampleBatch()

    init(_ target: ScrapeTarget, _ settings: ScrapeSettings, status: TargetStatusBoard, tools: Tools) {
        self.target = target
        self.settings = settings
        self.tools = tools
        self.status = status
        labels = SampleLabels(
            target: target.labels, honorsLabels: settings.honorsLabels, rules: settings.metricRelabelRules)
        parser = ScrapeParser(
            settings: .init(
                honorTimestamps: settings.honorsTimestamps,
                trackTimestampsStaleness: settings.tracksTimestampsStaleness))
        report = ReportSeries(target: target.labels)
        let timeout = target.timeout
        var seconds = "\(timeout.inSeconds)"
        if seconds.hasSuffix(".0") { seconds.removeLast(2) }
        request = HTTPRequest(
            .get, target.url,
            headers: [
                HTTPField("Accept", ScrapeProtocol.acceptHeader(settings.protocols)),
                HTTPField("X-Prometheus-Scrape-Timeout-Seconds", seconds),
            ],
            timeout: timeout, connectTimeout: timeout,
            bodyBytesMax: settings.limits.bodyBytesMax == 0 ? Self.bodyBytesHardMax : settings.limits.bodyBytesMax,
            acceptsGzip: settings.acceptsGzip, settings: settings.http)
    }

    /// What no scrape may exceed, configured or not.
    private static let bodyBytesHardMax = 1 << 30

    /// Scrapes until cancelled, at `phase` in each interval since the epoch.
    func run() async {
        var next = firstTime(after: tools.clock.now())
        while true {
            do {
                try await tools.clock.sleep(until: next)
            } catch {
                return  // Cancelled: the end of this scraper.
            }
            let now = tools.clock.now()
            // A wake-up that is late by no more than Prometheus tolerates leaves the timestamps evenly spaced.
            let time = now - next <= .milliseconds(2) ? next : now
            await scrape(at: time)
            if Task.isCancelled { return }
            let following = firstTime(after: tools.clock.now())
            if following > next + target.interval { tools.telemetry.missed.add() }
            next = following
        }
    }

    private func firstTime(after now: Timestamp) -> Timestamp {
        let interval = target.interval.wholeMilliseconds
        let phase = target.phase.wholeMilliseconds
        let since = now.milliseconds - phase
        let periods = since / interval + (since % interval >= 0 ? 1 : 0)
        return Timestamp(milliseconds: periods * interval + phase)
    }

    /// One scrape and all that follows from it.
    private func scrape(at time: Timestamp) async {
        let start = ContinuousClock().now
        var outcome = ScrapeOutcome()
        batch.removeAll()
        do throws(Failure) {
            outcome = try await fetch(at: time)
        } catch {
            outcome.error = error.description
            batch.removeAll()
            if Task.isCancelled { return }
            for id in parser.fail() { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        }
        outcome.duration = start.duration(to: ContinuousClock().now)
        do throws(IngestError) {
            try await prepareReport()
            report.add(outcome, at: time, to: &batch)
            // Refused samples are late ones or repeats; ingest counts them.
            try await tools.ingest.submit(batch, from: settings.job, patience: target.timeout)
        } catch {
            _ = parser.fail()
            outcome.error = Failure.refused(error).description
            tools.telemetry.refused.add()
        }
        note(outcome, at: time)
    }

    private func prepareReport() async throws(IngestError) {
        let epoch = tools.ingest.epoch
        guard let sets = report.labelSets(unlessKnownIn: epoch) else { return }
        report.know(try await tools.ingest.intern(sets), in: epoch)
    }

    private func note(_ outcome: ScrapeOutcome, at time: Timestamp) {
        tools.telemetry.scrapes.add()
        if outcome.error != nil { tools.telemetry.failures.add() }
        tools.telemetry.duration.observe(outcome.duration.inSeconds)
        let change = status.set(outcome, of: target, at: time)
        switch change {
        case .cameUp:
            tools.logger.info("Target is up.", metadata: ["target": "\(target.url)", "job": "\(settings.job)"])
        case .wentDown:
            tools.logger.warning(
                "Target is down.",
                metadata: ["target": "\(target.url)", "job": "\(settings.job)", "reason": "\(outcome.error ?? "")"])
        case .none: break
        }
    }

    private func fetch(at time: Timestamp) async throws(Failure) -> ScrapeOutcome {
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await tools.client.send(request)
        } catch {
            if case .bodyTooLarge(let limit) = error {
                throw .limit("the body is larger than body_size_limit (\(limit) bytes)")
            }
            throw .transport(error)
        }
        guard response.status == 200 else { throw .status(response.status) }
        do throws(ExpositionError) {
            let format = try ExpositionFormat.negotiated(
                contentType: response.contentType, fallback: settings.fallbackProtocol)
            try parse(response.body, format, at: time)
        } catch {
            throw .exposition(error)
        }
        try await resolveUnknown()
        let limit = settings.limits.samplesMax
        if limit > 0, parser.counts.afterRelabelling > limit {
            throw .limit("\(parser.counts.afterRelabelling) samples are more than sample_limit (\(limit))")
        }
        for id in parser.finish() { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        return ScrapeOutcome(counts: parser.counts)
    }

    private func parse(
        _ body: ResponseBody, _ format: ExpositionFormat, at time: Timestamp
    ) throws(ExpositionError) {
        try body.withUnsafeBytes { bytes throws(ExpositionError) in
            try parser.parse(bytes, as: format, at: time, epoch: tools.ingest.epoch, into: &batch)
        }
    }

    private func resolveUnknown() async throws(Failure) {
        let unknown = parser.unknown
        if unknown.isEmpty {
            parser.resolve([], into: &batch)
            return
        }
        var wanted: [LabelSet] = []
        var places: [Int?] = []
        for exposed in unknown {
            guard let stored = labels.resolve(exposed) else {
                places.append(nil)
                continue
            }
            if stored.name == nil { throw .missingName }
            try check(stored)
            places.append(wanted.count)
            wanted.append(stored)
        }
        let ids: [SeriesID]
        do throws(IngestError) {
            ids = try await tools.ingest.intern(wanted)
        } catch {
            throw .refused(error)
        }
        parser.resolve(places.map { place in place.map { ids[$0] } }, into: &batch)
    }

    private func check(_ labels: LabelSet) throws(Failure) {
        let limits = settings.limits
        if limits.labelsMax > 0, labels.count > limits.labelsMax {
            throw .limit("\(labels.count) labels are more than label_limit (\(limits.labelsMax)): \(labels)")
        }
        for label in labels {
            if limits.labelNameBytesMax > 0, label.name.utf8.count > limits.labelNameBytesMax {
                throw .limit(
                    "the label name \(quoted(String(label.name.prefix(64)))) is longer than "
                        + "label_name_length_limit (\(limits.labelNameBytesMax))")
            }
            if limits.labelValueBytesMax > 0, label.value.utf8.count > limits.labelValueBytesMax {
                throw .limit(
                    "a value of label \(quoted(label.name)) is longer than "
                        + "label_value_length_limit (\(limits.labelValueBytesMax))")
            }
        }
    }

    /// The target is gone for good: all its series end now.
    func retire() async {
        let time = tools.clock.now()
        batch.removeAll()
        for id in parser.fail() { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        report.end(at: time, in: &batch)
        // When the graph is full or closing the series end by look-back.
        _ = try? await tools.ingest.submit(batch, from: settings.job, patience: .seconds(10))
        status.remove(target)
    }
}
