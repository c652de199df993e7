/// What a TYPE line can say, under OpenMetrics's names.
package enum MetricType: String, Sendable, Hashable {
    case counter, gauge, histogram, summary, info, unknown
    case gaugeHistogram = "gaugehistogram"
    case stateSet = "stateset"
}

/// Something told about a metric family beside its samples.
package struct MetricMetadata: Sendable, Equatable {
    package enum Fact: Sendable, Equatable {
        case type(MetricType)
        case help(String)
        case unit(String)
    }
    /// The name on the line: in OpenMetrics the family's, so without `_total` and the like.
    package var family: String
    package var fact: Fact

    package init(family: String, fact: Fact) {
        self.family = family
        self.fact = fact
    }
}

/// All that somebody told about a metric family.
package struct FamilyMetadata: Sendable, Hashable {
    package var family: String
    /// `.unknown` where nobody said it.
    package var type = MetricType.unknown
    /// Empty where nobody said it, as is the unit.
    package var help = ""
    package var unit = ""

    package init(_ family: String, type: MetricType = .unknown, help: String = "", unit: String = "") {
        self.family = family
        self.type = type
        self.help = help
        self.unit = unit
    }

    /// Takes over what a line says; the family stays.
    package mutating func learn(_ fact: MetricMetadata.Fact) {
        switch fact {
        case .type(let type): self.type = type
        case .help(let help): self.help = help
        case .unit(let unit): self.unit = unit
        }
    }
}

/// Who told what metric families are: what it told is forgotten with it.
package enum MetadataOwner: Sendable, Hashable {
    /// A scraped target: its scrape pool, the labels that its series get, and its URL.
    case target(pool: String, labels: LabelSet, url: String)
    /// A way in for what is pushed, named as in `Ingest.submit`: `push`, `import`, `remote_write`.
    case source(String)
}
