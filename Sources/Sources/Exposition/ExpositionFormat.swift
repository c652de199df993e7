/// The two text forms in which a target or a client shows its metrics.
package enum ExpositionFormat: Sendable, Equatable {
    /// Prometheus's text format, versions 0.0.4 and 1.0.0.
    case text
    /// OpenMetrics text, versions 0.0.1 and 1.0.0.
    case openMetrics

    /// The format that a Content-Type names; nil for a type that is none of ours or no media type at all.
    ///
    /// Parameters such as `version` and `charset` are not looked at, as in Prometheus.
    package init?(contentType: String) {
        let mediaType = contentType.prefix { $0 != ";" }.trimmingBlanks().lowercased()
        switch mediaType {
        case "text/plain": self = .text
        case "application/openmetrics-text": self = .openMetrics
        default: return nil
        }
    }
}

/// How a scrape's answer is written.
package enum ScrapeEncoding: Sendable, Equatable {
    case text(ExpositionFormat)
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    case protobuf

    private static let protobufType = "application/vnd.google.protobuf"

    /// The encoding of a scrape's answer: by its Content-Type, else by the target's `fallback_scrape_protocol`.
    /// - Throws: a text that says what the target sent and which setting would help (Prometheus 3 semantics: without
    ///   a fallback, a blank or unknown type fails the scrape).
    package static func negotiated(
        contentType: String?, fallback: ScrapeProtocol?
    ) throws(ExpositionError) -> ScrapeEncoding {
        let contentType = contentType?.trimmingBlanks() ?? ""
        if let format = ExpositionFormat(contentType: contentType) { return .text(format) }
        if contentType.prefix(while: { $0 != ";" }).trimmingBlanks().lowercased() == protobufType { return .protobuf }
        if let fallback { return fallback.encoding }
        let sent = contentType.isEmpty ? "a blank Content-Type" : "the unsupported Content-Type \(excerpt(contentType))"
        throw ExpositionError(
            .format, line: 0, "the target sent \(sent), and it has no fallback_scrape_protocol")
    }
}

/// What a scrape may ask for: the values of Prometheus's `scrape_protocols`.
package enum ScrapeProtocol: String, Sendable, Equatable, CaseIterable {
    case openMetrics1 = "OpenMetricsText1.0.0"
    case openMetrics0 = "OpenMetricsText0.0.1"
    case text1 = "PrometheusText1.0.0"
    case text0 = "PrometheusText0.0.4"
    case protobuf = "PrometheusProto"

    /// Prometheus's own order of preference.
    package static let standard: [ScrapeProtocol] = [.openMetrics1, .openMetrics0, .text1, .text0]
    /// The same where native histograms are wanted, which only protobuf can tell.
    package static let standardForHistograms = [.protobuf] + standard

    package var encoding: ScrapeEncoding {
        switch self {
        case .openMetrics1, .openMetrics0: .text(.openMetrics)
        case .text1, .text0: .text(.text)
        case .protobuf: .protobuf
        }
    }

    private var mediaRange: String {
        switch self {
        case .openMetrics1: "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8"
        case .openMetrics0: "application/openmetrics-text;version=0.0.1"
        case .text1: "text/plain;version=1.0.0;escaping=allow-utf-8"
        case .text0: "text/plain;version=0.0.4"
        case .protobuf:
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
        }
    }

    /// The Accept header that Prometheus sends for these protocols, the most wanted first.
    package static func acceptHeader(_ protocols: [ScrapeProtocol] = standard) -> String {
        var weight = 6
        var ranges: [String] = []
        for wanted in protocols {
            ranges.append("\(wanted.mediaRange);q=0.\(weight)")
            weight = max(2, weight - 1)
        }
        ranges.append("*/*;q=0.\(weight)")
        return ranges.joined(separator: ",")
    }
}

extension StringProtocol {
    /// The text without blanks at both ends.
    func trimmingBlanks() -> String {
        var rest = Substring(self)
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
