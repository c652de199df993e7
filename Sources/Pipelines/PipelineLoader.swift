internal import Actors
package import PromQL
package import Sinks
internal import Streams
package import YAML

/// Reads pipeline files into one checked plan. All or nothing: what is wrong in any file is told, all of it at once.
///
/// Reading is blocking file input, done at start, for a check and for a reload.
package struct PipelineLoader: Sendable {
    private let environment: Environment
    private let sources: SourceRegistry
    private let sinks: [any ConfigurableSink.Type]
    private let language: ParserOptions

    /// - Parameters:
    ///   - environment: what `${NAME}` in pipeline files stands for.
    ///   - language: what rules may use of PromQL.
    package init(
        environment: Environment, sources: SourceRegistry = .standard,
        sinks: [any ConfigurableSink.Type] = SinkRegistry.standard, language: ParserOptions = .standard
    ) {
        self.environment = environment
        self.sources = sources
        self.sinks = sinks
        self.language = language
    }

    /// - Parameter paths: files, or folders whose `*.yml` and `*.yaml` (not those of folders in them) are pipelines.
    /// - Parameter alertmanager: an alertmanager.yml that is taken as a pipeline of its own, named `default`.
    /// - Throws: every error of every file.
    package func load(_ paths: [String], alertmanager: String? = nil) throws(ConfigErrors) -> Plan {
        let diagnostics = Diagnostics()
        let reader = FileReader(environment, diagnostics)
        var pipelines: [PipelinePlan] = []
        for path in pipelineFiles(paths, diagnostics) {
            guard let root = reader.read(path, at: nil, interpolating: true) else { continue }
            pipelines.append(PipelineReader(reader, sources, sinks, language).read(root))
        }
        if let alertmanager, let root = root(of: alertmanager, diagnostics) {
            pipelines.append(PipelineReader(reader, sources, sinks, language).read(root))
        }
        checkTogether(pipelines, diagnostics)
        try diagnostics.check()
        return Plan(
            pipelines: pipelines, notices: diagnostics.notices, files: reader.paths,
            configuration: ConfigurationText.render(pipelines, reader.documents),
            scrapeConfigurations: ConfigurationText.scrapes(reader.documents))
    }

    /// The pipeline file that includes the alertmanager.yml and has nothing else.
    private func root(of alertmanager: String, _ diagnostics: Diagnostics) -> Node? {
        guard FileSearch.kind(of: alertmanager) == .file else {
            report("there is no such file", alertmanager, diagnostics)
            return nil
        }
        // Beside the file, so that its name alone finds it.
        let name = alertmanager.split(separator: "/").last ?? ""
        let text = "name: \(Plan.defaultName)\ninclude: {alertmanager: \(JSONValue.string(String(name)).text)}\n"
        do throws(ConfigError) {
            return DocumentParser.parse(
                try SourceText(text, file: alertmanager), documents: .one, environment: nil, diagnostics: diagnostics)
        } catch {
            diagnostics.report(error)
            return nil
        }
    }

    private func pipelineFiles(_ paths: [String], _ diagnostics: Diagnostics) -> [String] {
        var seen: Set<String> = []
        var result: [String] = []
        for path in paths {
            var found = [path]
            switch FileSearch.kind(of: path) {
            case .folder:
                found = FileSearch.yamlFiles(in: path)
                if found.isEmpty { report("the folder has no *.yml or *.yaml file", path, diagnostics) }
            case .missing:
                report("there is no such file or folder", path, diagnostics)
                found = []
            case .file: break
            }
            result += found.filter { seen.insert(FileSearch.canonical($0)).inserted }
        }
        return result
    }

    private func report(_ text: String, _ path: String, _ diagnostics: Diagnostics) {
        diagnostics.report(.unreadable(text), at: SourceLocation(file: path, line: 1, column: 1))
    }

    // MARK: what has to fit between pipelines

    private func checkTogether(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        namesAreUnique(pipelines, diagnostics)
        alertsHaveARoute(pipelines, diagnostics)
        resolveTimeoutsAreUsed(pipelines, diagnostics)
        sourcesFit(pipelines, diagnostics)
        storageFits(pipelines, diagnostics)
    }

    private func start(of pipeline: PipelinePlan) -> SourceLocation {
        SourceLocation(file: pipeline.file, line: 1, column: 1)
    }

    private func namesAreUnique(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        var files: [String: String] = [:]
        for pipeline in pipelines where !pipeline.name.isEmpty {
            if let file = files[pipeline.name] {
                diagnostics.report(
                    .conflict("pipeline \(quoted(pipeline.name)) is already in \(file)"), at: start(of: pipeline))
            }
            files[pipeline.name] = files[pipeline.name] ?? pipeline.file
        }
    }

    private func alertsHaveARoute(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        let fallback = Plan.defaultPipeline(of: pipelines)
        for pipeline in pipelines where pipeline.routing == nil && fallback?.routing == nil {
            guard pipeline.ruleGroups.contains(where: { $0.rules.contains(where: \.isAlert) }) else { continue }
            diagnostics.report(
                .conflict(
                    "the pipeline has alerting rules and no \"routing\", and no pipeline named \"default\" has one; "
                        + "add one of the two"), at: start(of: pipeline))
        }
    }

    /// The time-out is for alerts from outside, and those need a way in.
    private func resolveTimeoutsAreUsed(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        let fallback = Plan.defaultPipeline(of: pipelines)
        for pipeline in pipelines where pipeline.routing == nil && fallback?.routing == nil {
            guard let origin = pipeline.global.resolveTimeoutOrigin else { continue }
            diagnostics.report(
                .conflict(
                    "\"resolve_timeout\" is for alerts that are posted to the pipeline, and it takes none: it has no "
                        + "\"routing\", and no pipeline named \"default\" has one"), at: origin.location)
        }
    }

    private func storageFits(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        let saying = pipelines.filter { $0.storage.exemplarsMax != nil }
        guard let first = saying.first else { return }
        for pipeline in saying where pipeline.storage != first.storage {
            diagnostics.report(
                .conflict("storage.exemplars.max_exemplars differs from that of \(first.file); all share one store"),
                at: pipeline.storage.origin?.location ?? start(of: pipeline))
        }
    }

    /// All pipelines share one store, so a job's name is one job; what is reached under fixed paths is one for the server.
    private func sourcesFit(_ pipelines: [PipelinePlan], _ diagnostics: Diagnostics) {
        var seen: [String: (source: SourcePlan, pipeline: String)] = [:]
        for pipeline in pipelines {
            for source in pipeline.sources {
                guard let first = seen[source.name], first.pipeline != pipeline.file else {
                    seen[source.name] = seen[source.name] ?? (source, pipeline.file)
                    continue
                }
                if source.isSingle, first.source == source { continue }
                let place = first.source.origin.location
                let what = source.isSingle ? "is configured differently" : "is already"
                diagnostics.report(
                    .conflict("source \(quoted(source.name)) \(what) at \(place)"), at: source.origin.location)
            }
        }
    }
}
