package import Actors
package import Sinks
package import YAML

/// Everything that a server runs, checked as a whole: one or more pipelines. Running parts whose settings are equal in two
/// plans outlive a reload.
package struct Plan: Equatable, Sendable {
    /// Named uniquely, in the order of their files.
    package var pipelines: [PipelinePlan]
    /// What is worth telling about files that are good.
    package var notices: [ConfigNotice]
    /// Every file that was read.
    package var files: [String]
    /// All of it as YAML that may be shown: secrets are masked.
    package var configuration: String
    /// The scrapes as YAML that may be shown, by job.
    package var scrapeConfigurations: [String: String]

    package init(
        pipelines: [PipelinePlan], notices: [ConfigNotice] = [], files: [String] = [], configuration: String = "",
        scrapeConfigurations: [String: String] = [:]
    ) {
        self.pipelines = pipelines
        self.notices = notices
        self.files = files
        self.configuration = configuration
        self.scrapeConfigurations = scrapeConfigurations
    }

    /// The name of the pipeline that takes alerts from outside and those of pipelines without a routing of their own.
    package static let defaultName = "default"

    /// The one of that name; where there is none, the only one that has a routing.
    package var defaultPipeline: PipelinePlan? { Self.defaultPipeline(of: pipelines) }

    static func defaultPipeline(of pipelines: [PipelinePlan]) -> PipelinePlan? {
        if let named = pipelines.first(where: { $0.name == defaultName }) { return named }
        let routed = pipelines.filter { $0.routing != nil }
        return routed.count == 1 ? routed[0] : nil
    }

    package subscript(name: String) -> PipelinePlan? { pipelines.first { $0.name == name } }

    /// The pipeline whose routing takes the alerts of the named one.
    package func router(of name: String) -> PipelinePlan? {
        self[name].flatMap { $0.routing == nil ? nil : $0 } ?? defaultPipeline
    }
}

/// One pipeline file with all that it includes.
package struct PipelinePlan: Equatable, Sendable {
    package var name: String
    package var file: String
    package var global: GlobalSettings
    package var evaluation: EvaluationMode
    package var storage = StoragePlan()
    package var sources: [SourcePlan]
    /// The file's own rules are one group that bears the pipeline's name, `windows` before `rules`; those of rule files
    /// follow. `interval` and `queryOffset` are filled in from `global`.
    package var ruleGroups: [RuleGroupSettings]
    /// Nil: alerts go to the default pipeline.
    package var routing: RoutingSettings?
    /// Paths of template files, sorted within each glob.
    package var templates: [String]
    package var receivers: [ReceiverPlan]

    package func receiver(_ name: String) -> ReceiverPlan? { receivers.first { $0.name == name } }
}

/// Settings of a source: values that can be compared, so that a reload keeps what did not change.
package typealias PlannedSettings = Hashable & Sendable

package struct SourcePlan: Sendable {
    /// The key that it stands under: `scrape`.
    package var kind: String
    /// Unique in its pipeline: `scrape/backend`.
    package var name: String
    package var settings: any PlannedSettings
    /// One server can have only one of its kind.
    package var isSingle: Bool
    package var origin: Origin
}

package struct ReceiverPlan: Equatable, Sendable {
    package var name: String
    /// In the order of the kinds, those that are off left out.
    package var sinks: [SinkSettings]
    package var origin: Origin
}

extension SourcePlan: Equatable {
    package static func == (left: SourcePlan, right: SourcePlan) -> Bool {
        left.kind == right.kind && left.name == right.name && AnyHashable(left.settings) == AnyHashable(right.settings)
    }
}
