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
        /// With what was counted until then.
        case limit(String, ScrapeParser.Counts)
        case missingName
        /// `target_limit` keeps the target from being asked.
        case forced(String)
        /// The names of a series are not of the kind that is asked for.
        case names(LabelSet)
        /// Not the target's fault: the graph took none of its new series.
        case refused(IngestError)

        var description: String {
            switch self {
            case .transport(let error): error.description
            case .status(let status): "server returned HTTP status \(status)"
            case .exposition(let error): error.description
            case .limit(let reason, _): reason
            case .missingName: "metric name is missing"
            case .forced(let reason): reason
            case .names(let labels): "invalid metric name or label names under the legacy scheme: \(labels)"
            case .refused(.saturated): "the graph is full"
            case .refused(.limit(let reason)): reason
            case .refused(.closed): "the graph is shutting down"
            }
        }
    }

    nonisolated let target: ScrapeTarget
    private let settings: ScrapeSettings
    private let tools: Tools
    private let labels: SampleLabels
    private let status: TargetStatusBoard
    private let parser: ScrapeParser
    private let request: HTTPRequest
    private var report: ReportSeries
    private var batch = SampleBatch()
    /// Those of the scrape under way.
    private var exemplars: [SeriesExemplar] = []
    private let owner: MetadataOwner
    private let forcedError: String?
    /// Series of earlier scrapes whose end, or whose going on, the graph did not take: to be ended unless they show again.
    private var unsettled: Set<SeriesID> = []
    /// The newest time that anything was stored at.
    private var lastTime = Timestamp.distantPast

    /// - Parameter forcedError: why the target is not to be asked, where it is not.
    init(
        _ target: ScrapeTarget, _ settings: ScrapeSettings, status: TargetStatusBoard, tools: Tools,
        forcedError: String? = nil
    ) {
        self.forcedError = forcedError
        self.target = target
        self.settings = settings
        self.tools = tools
        self.status = status
        labels = SampleLabels(
            target: target.labels, honorsLabels: settings.honorsLabels, rules: settings.metricRelabelRules)
        parser = ScrapeParser(
            settings: .init(
                honorTimestamps: settings.honorsTimestamps,
                trackTimestampsStaleness: settings.tracksTimestampsStaleness,
                takesNativeHistograms: settings.takesNativeHistograms,
                alwaysTakesClassicHistograms: settings.alwaysTakesClassicHistograms))
        report = ReportSeries(target: target.labels)
        owner = .target(pool: settings.job, labels: target.labels, url: target.url.text)
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
            let intervals = (following - next).wholeMilliseconds / target.interval.wholeMilliseconds
            if intervals > 1 { tools.telemetry.missed.add(Double(intervals - 1)) }
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
        exemplars = []
        do throws(Failure) {
            outcome = try await fetch(at: time)
        } catch {
            outcome.error = error.description
            if case .limit(_, let counts) = error {
                outcome.counts = counts
                outcome.counts.seriesAdded = 0
            }
            batch.removeAll()
            unsettled.formUnion(parser.fail())
            if Task.isCancelled { return }
            for id in unsettled { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        }
        outcome.duration = start.duration(to: ContinuousClock().now)
        do throws(IngestError) {
            try await prepareReport()
            report.add(outcome, at: time, to: &batch)
            // Refused samples are late ones or repeats; ingest counts them.
            try await tools.ingest.submit(batch, from: settings.job, patience: target.timeout)
            lastTime = time
            unsettled = []
            if !exemplars.isEmpty { await tools.ingest.keep(exemplars) }
            note(outcome, at: time)
        } catch {
            // What it told of will be told again, or end.
            unsettled.formUnion(parser.fail())
            tools.telemetry.scrapes.add()
            tools.telemetry.refused.add()
            status.setRefused(Failure.refused(error).description, of: target, at: time)
        }
    }

    /// Ends what vanished: since the last scrape, and what the graph did not take word of before.
    private func endMissing(at time: Timestamp) {
        let missing = parser.finish()
        if !unsettled.isEmpty { unsettled.subtract(batch.series) }
        unsettled.formUnion(missing)
        for id in unsettled { batch.append(id, at: time.milliseconds, StaleMarker.value) }
    }

    /// Tells what the target says about its metrics, where that is not what it said before.
    private func tellMetadata() {
        if parser.hasForgotten {
            tools.ingest.tell(parser.shownMetadata, from: owner, replacing: true)
        } else if !parser.newMetadata.isEmpty {
            tools.ingest.tell(parser.newMetadata, from: owner, replacing: false)
        }
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
            tools.logger.info("Target is up.", metadata: ["target": "\(target.name)", "job": "\(settings.job)"])
        case .wentDown:
            tools.logger.warning(
                "Target is down.",
                metadata: ["target": "\(target.name)", "job": "\(settings.job)", "reason": "\(outcome.error ?? "")"])
        case .none: break
        }
    }

    private func fetch(at time: Timestamp) async throws(Failure) -> ScrapeOutcome {
        if let forcedError { throw .forced(forcedError) }
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await tools.client.send(request)
        } catch {
            if case .bodyTooLarge(let limit) = error {
                throw .limit("the body is larger than body_size_limit (\(limit) bytes)", ScrapeParser.Counts())
            }
            throw .transport(error)
        }
        guard response.status == 200 else { throw .status(response.status) }
        do throws(ExpositionError) {
            let encoding = try ScrapeEncoding.negotiated(
                contentType: response.contentType, fallback: settings.fallbackProtocol)
            try parse(response.body, encoding, at: time)
        } catch {
            throw .exposition(error)
        }
        try await resolveUnknown()
        let limit = settings.limits.samplesMax
        if limit > 0, parser.counts.afterRelabelling > limit {
            throw .limit(
                "\(parser.counts.afterRelabelling) samples are more than sample_limit (\(limit))", parser.counts)
        }
        endMissing(at: time)
        tellMetadata()
        exemplars = parser.exemplars
        return ScrapeOutcome(counts: parser.counts)
    }

    private func parse(
        _ body: ResponseBody, _ encoding: ScrapeEncoding, at time: Timestamp
    ) throws(ExpositionError) {
        let epoch = tools.ingest.epoch
        try body.withUnsafeBytes { bytes throws(ExpositionError) in
            switch encoding {
            case .text(let format): try parser.parse(bytes, as: format, at: time, epoch: epoch, into: &batch)
            case .protobuf: try parser.parseProtobuf(bytes, at: time, epoch: epoch, into: &batch)
            }
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
        let empty = parser.emptyLabels
        for (place, exposed) in unknown.enumerated() {
            guard let stored = labels.resolve(exposed, empty: empty[place] ?? []) else {
                places.append(nil)
                continue
            }
            guard let name = stored.name else { throw .missingName }
            if settings.usesLegacyNames, !Self.areLegacy(name, stored) { throw .names(stored) }
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

    private static func areLegacy(_ name: String, _ labels: LabelSet) -> Bool {
        LabelSet.isLegacyMetricName(name) && labels.allSatisfy { LabelSet.isLegacyLabelName($0.name) }
    }

    private func check(_ labels: LabelSet) throws(Failure) {
        let limits = settings.limits
        if limits.labelsMax > 0, labels.count > limits.labelsMax {
            throw .limit(
                "\(labels.count) labels are more than label_limit (\(limits.labelsMax)): \(labels)", parser.counts)
        }
        for label in labels {
            if limits.labelNameBytesMax > 0, label.name.utf8.count > limits.labelNameBytesMax {
                throw .limit(
                    "the label name \(quoted(String(label.name.prefix(64)))) is longer than "
                        + "label_name_length_limit (\(limits.labelNameBytesMax))", parser.counts)
            }
            if limits.labelValueBytesMax > 0, label.value.utf8.count > limits.labelValueBytesMax {
                throw .limit(
                    "a value of label \(quoted(label.name)) is longer than "
                        + "label_value_length_limit (\(limits.labelValueBytesMax))", parser.counts)
            }
        }
    }

    /// What one scraper of a target leaves to the next.
    struct Legacy: Sendable {
        var series: Set<SeriesID>
        var lastTime: Timestamp
    }

    /// Gives its series away, to be ended unless they show again.
    func release() -> Legacy { Legacy(series: unsettled.union(parser.fail()), lastTime: lastTime) }

    func adopt(_ legacy: Legacy) {
        unsettled.formUnion(legacy.series)
        lastTime = max(lastTime, legacy.lastTime)
    }

    /// The target is gone for good: all its series end now.
    func retire() async {
        // Behind the last scrape, also when that was this very millisecond.
        let time = max(tools.clock.now(), lastTime + .milliseconds(1))
        batch.removeAll()
        for id in unsettled.union(parser.fail()) { batch.append(id, at: time.milliseconds, StaleMarker.value) }
        unsettled = []
        report.end(at: time, in: &batch)
        // When the graph is full or closing the series end by look-back.
        _ = try? await tools.ingest.submit(batch, from: settings.job, patience: .seconds(10))
        tools.ingest.forget(owner)
        status.remove(target)
    }
}
