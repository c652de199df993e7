package import Streams
package import Transport

/// One `scrape_config` of Prometheus: a job's targets and how they are asked.
package struct ScrapeSettings: Hashable, Sendable {
    /// Bounds on what one scrape may bring; 0 is no bound.
    package struct Limits: Hashable, Sendable {
        package var bodyBytesMax = 0
        /// After metric relabelling.
        package var samplesMax = 0
        package var targetsMax = 0
        package var labelsMax = 0
        package var labelNameBytesMax = 0
        package var labelValueBytesMax = 0

        package init() {}
    }

    /// `static_configs`: addresses with the labels that their targets get.
    package struct StaticTargets: Hashable, Sendable {
        package var addresses: [String]
        package var labels: LabelSet

        package init(addresses: [String], labels: LabelSet) {
            self.addresses = addresses
            self.labels = labels
        }
    }

    package var job: String
    package var interval: Duration
    package var timeout: Duration
    package var metricsPath: String
    package var scheme: String
    /// URL parameters, each with its values, in the order of the file.
    package var parameters: [Parameter]
    package var honorsLabels: Bool
    package var honorsTimestamps: Bool
    package var tracksTimestampsStaleness: Bool
    package var acceptsGzip: Bool
    package var protocols: [ScrapeProtocol]
    package var fallbackProtocol: ScrapeProtocol?
    /// Of a protobuf answer native histograms are taken; otherwise only classic ones.
    package var takesNativeHistograms: Bool
    /// Classic buckets are taken also where a native histogram is.
    package var alwaysTakesClassicHistograms: Bool
    package var limits: Limits
    /// A series whose names are no classic ones fails the scrape (`metric_name_validation_scheme: legacy`).
    package var usesLegacyNames: Bool
    package var targets: [StaticTargets]
    package var relabelRules: [RelabelRule]
    package var metricRelabelRules: [RelabelRule]
    package var http: HTTPSettings

    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var values: [String]
        package init(_ name: String, _ values: [String]) {
            self.name = name
            self.values = values
        }
    }

    package init(job: String, interval: Duration = .seconds(60), timeout: Duration = .seconds(10)) {
        self.job = job
        self.interval = interval
        self.timeout = timeout
        metricsPath = "/metrics"
        scheme = "http"
        parameters = []
        honorsLabels = false
        honorsTimestamps = true
        tracksTimestampsStaleness = false
        acceptsGzip = true
        protocols = ScrapeProtocol.standard
        fallbackProtocol = nil
        takesNativeHistograms = false
        alwaysTakesClassicHistograms = false
        limits = Limits()
        usesLegacyNames = false
        targets = []
        relabelRules = []
        metricRelabelRules = []
        http = HTTPSettings()
    }
}

/// What `global` says for all scrapes that say nothing themselves.
package struct ScrapeDefaults: Hashable, Sendable {
    package var interval: Duration
    package var timeout: Duration
    /// Nil: the usual ones.
    package var protocols: [ScrapeProtocol]?
    package var limits: ScrapeSettings.Limits
    package var usesLegacyNames: Bool
    package var takesNativeHistograms = false
    package var alwaysTakesClassicHistograms = false

    package init(
        interval: Duration = .seconds(60), timeout: Duration = .seconds(10),
        protocols: [ScrapeProtocol]? = nil, limits: ScrapeSettings.Limits = .init(),
        usesLegacyNames: Bool = false
    ) {
        self.interval = interval
        self.timeout = timeout
        self.protocols = protocols
        self.limits = limits
        self.usesLegacyNames = usesLegacyNames
    }
}
