package import Streams
package import Transport

/// An endpoint to scrape: its labels after relabelling, and its URL.
package struct ScrapeTarget: Hashable, Sendable {
    /// As discovered, before relabelling.
    package var discoveredLabels: LabelSet
    /// What its series get: no label beginning with `__`.
    package var labels: LabelSet
    package var url: URLString
    package var interval: Duration
    package var timeout: Duration

    /// Why an address is no target; nil where relabelling dropped it on purpose.
    package struct Invalid: Error, Sendable, Equatable, CustomStringConvertible {
        package var address: String
        package var reason: String
        package var description: String { "target \(quoted(address)): \(reason)" }
    }

    /// What tells one target from another: those that were found twice are scraped once.
    struct Identity: Hashable, Sendable {
        var labels: LabelSet
        var url: URLString
    }

    var identity: Identity { Identity(labels: labels, url: url) }

    /// The targets of a job, in order, as Prometheus's `PopulateLabels` makes them; those that relabelling drops left out.
    package static func all(of settings: ScrapeSettings) throws(Invalid) -> [ScrapeTarget] {
        var result: [ScrapeTarget] = []
        var seen: Set<Identity> = []
        for group in settings.targets {
            for address in group.addresses {
                guard let target = try make(address, group.labels, settings), seen.insert(target.identity).inserted
                else { continue }
                result.append(target)
            }
        }
        return result
    }

    /// The labels, before relabelling, of those that relabelling drops.
    package static func dropped(by settings: ScrapeSettings) -> [LabelSet] {
        settings.targets.flatMap { group in
            group.addresses.map { discovered($0, group.labels, settings) }
        }.filter { settings.relabelRules.relabel($0) == nil }
    }

    private static func discovered(_ address: String, _ extra: LabelSet, _ settings: ScrapeSettings) -> LabelSet {
        var discovered: LabelSet = [
            "job": settings.job, "__address__": address, "__scheme__": settings.scheme,
            "__metrics_path__": settings.metricsPath,
            "__scrape_interval__": settings.interval.prometheusText,
            "__scrape_timeout__": settings.timeout.prometheusText,
        ]
        for parameter in settings.parameters {
            if let first = parameter.values.first { discovered["__param_" + parameter.name] = first }
        }
        return discovered.merging(extra)
    }

    private static func make(
        _ address: String, _ extra: LabelSet, _ settings: ScrapeSettings
    ) throws(Invalid) -> ScrapeTarget? {
        func invalid(_ reason: String) -> Invalid { Invalid(address: address, reason: reason) }
        let discovered = discovered(address, extra, settings)
        guard var labels = settings.relabelRules.relabel(discovered) else { return nil }
        guard let finalAddress = labels["__address__"] else { throw invalid("relabelling left no __address__") }
        let interval = try duration(labels, "__scrape_interval__", invalid)
        let timeout = try duration(labels, "__scrape_timeout__", invalid)
        guard interval > .zero else { throw invalid("the scrape interval is 0") }
        guard timeout > .zero else { throw invalid("the scrape timeout is 0") }
        guard timeout <= interval else { throw invalid("the scrape timeout is longer than the interval") }
        let url = try self.url(labels, finalAddress, settings, invalid)
        if labels["instance"] == nil { labels["instance"] = finalAddress }
        return ScrapeTarget(
            discoveredLabels: discovered,
            labels: LabelSet(sorted: labels.filter { !$0.name.hasPrefix("__") }), url: url, interval: interval,
            timeout: timeout)
    }

    private static func duration(
        _ labels: LabelSet, _ name: String, _ invalid: (String) -> Invalid
    ) throws(Invalid) -> Duration {
        do throws(Duration.TextError) {
            return try Duration.parse(prometheus: labels[name] ?? "")
        } catch {
            throw invalid("\(name): \(error)")
        }
    }

    private static func url(
        _ labels: LabelSet, _ address: String, _ settings: ScrapeSettings, _ invalid: (String) -> Invalid
    ) throws(Invalid) -> URLString {
        var pairs: [String] = []
        var names = settings.parameters.map(\.name)
        for label in labels where label.name.hasPrefix("__param_") {
            let name = String(label.name.dropFirst("__param_".count))
            if !names.contains(name) { names.append(name) }
        }
        for name in names.sorted() {
            var values = settings.parameters.first { $0.name == name }?.values ?? []
            // Relabelling sees and sets the first value only; one that it removes stays.
            if let first = labels["__param_" + name] { values = [first] + values.dropFirst() }
            pairs += values.map { "\(URLString.encoded(name))=\(URLString.encoded($0))" }
        }
        let path = labels["__metrics_path__"] ?? "/metrics"
        let query = pairs.isEmpty ? "" : (path.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
        if address.contains("/") { throw invalid("\(quoted(address)) is not host:port") }
        do throws(TransportError) {
            let slash = path.hasPrefix("/") ? "" : "/"
            return try URLString("\(labels["__scheme__"] ?? "http")://\(address)\(slash)\(path)\(query)")
        } catch {
            throw invalid(error.description)
        }
    }

    /// Scheme, host, port and path, for logs: parameters may hold a token.
    package var name: String {
        "\(url.scheme)://\(url.peer)" + url.pathAndQuery.prefix { $0 != "?" }
    }

    /// Where in the interval the target is scraped: the same for the same target after a restart, spread over targets.
    package var phase: Duration {
        let hash = labels.merging(["__url__": url.text]).fingerprint.rawValue
        return .milliseconds(Int64(hash % UInt64(max(1, interval.wholeMilliseconds))))
    }
}
