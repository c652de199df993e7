package import Streams

/// One sample that a template's `query` gives.
package struct QuerySample: Sendable {
    package var labels: LabelSet
    package var value: Double
    /// What stands for the value where it is no float.
    package var valueText: String?

    package init(labels: LabelSet, value: Double, valueText: String? = nil) {
        self.labels = labels
        self.value = value
        self.valueText = valueText
    }
}

/// A label or annotation of an alerting rule: text with Prometheus's templates in it. Read once, expanded often.
package struct AnnotationTemplate: Sendable {
    /// What an alert offers to its templates.
    package struct Context: Sendable {
        package var labels: LabelSet
        package var value: Double
        /// What stands for the value where it is no number: a native histogram's text.
        package var valueText: String?
        package var externalLabels: LabelSet
        package var externalURL: String
        package var time: Timestamp

        package init(
            labels: LabelSet, value: Double, valueText: String? = nil, externalLabels: LabelSet = LabelSet(),
            externalURL: String = "", time: Timestamp
        ) {
            self.labels = labels
            self.value = value
            self.valueText = valueText
            self.externalLabels = externalLabels
            self.externalURL = externalURL
            self.time = time
        }
    }

    /// Queries that one expansion may make.
    package static let queriesMax = 100

    package let text: String
    private let name: String
    private let limits: TemplateLimits
    /// Nil for text without any template.
    private let templates: TemplateSet?

    /// Fails on text that is no template; the error tells line and reason.
    package init(_ text: String, name: String, limits: TemplateLimits = .annotation) throws(TemplateError) {
        self.text = text
        self.name = name
        self.limits = limits
        guard Lexer.hasAction(text) else {
            templates = nil
            return
        }
        var set = TemplateSet(functions: FunctionTables.rules)
        try set.add(text, name: name, variables: ["$labels", "$externalLabels", "$externalURL", "$value"])
        templates = set
    }

    /// Text that is the same for every alert.
    package var isConstant: Bool { templates == nil }

    /// The text for an alert. `query` answers PromQL at the alert's time; each distinct query is asked once.
    ///
    /// The template runs synchronously. Where it needs an answer that is not there, it is left, the query is awaited,
    /// and it runs again: it has no effects, so the outcome is that of one run.
    package func expand(
        _ context: Context, query: (String) async throws -> [QuerySample]
    ) async throws -> String {
        guard let set = templates else { return text }
        var environment = Self.environment(context)
        while true {
            do {
                return try execute(set, context, environment)
            } catch let needed as QueryNeeded {
                guard environment.queries.count < Self.queriesMax else {
                    throw TemplateError(.execution, template: name, "more than \(Self.queriesMax) queries")
                }
                do {
                    environment.queries[needed.query] = .result(Self.value(try await query(needed.query)))
                } catch let error as CancellationError {
                    throw error
                } catch {
                    environment.queries[needed.query] = .failure("\(error)")
                }
            }
        }
    }

    /// The text for an alert where no queries can be made: a template that makes one fails.
    package func expand(_ context: Context) throws(TemplateError) -> String {
        guard let set = templates else { return text }
        do {
            return try execute(set, context, Self.environment(context))
        } catch let error as TemplateError {
            throw error
        } catch is QueryNeeded {
            throw TemplateError(.execution, template: name, "queries can't be made here")
        } catch {
            throw TemplateError(.execution, template: name, "\(error)")
        }
    }

    /// What `.` is: a field that it does not have is an error.
    private static let dataType = RecordType(
        name: "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; "
            + "Value interface {} }", fields: ["Labels", "ExternalLabels", "ExternalURL", "Value"])

    private func execute(_ set: TemplateSet, _ context: Context, _ environment: Environment) throws -> String {
        let executor = Executor(
            trees: set.trees, functions: set.functions, environment: environment, limits: limits,
            missingKeyIsZero: true)
        let labels = Self.value(context.labels)
        let externalLabels = Self.value(context.externalLabels)
        let externalURL = Value.string(context.externalURL)
        let value: Value = context.valueText.map { .string($0) } ?? .double(context.value)
        let data = Record(Self.dataType, [labels, externalLabels, externalURL, value])
        return try executor.run(
            name, on: .record(data),
            variables: [
                ("$labels", labels), ("$externalLabels", externalLabels),
                ("$externalURL", externalURL), ("$value", value),
            ])
    }

    private static func environment(_ context: Context) -> Environment {
        var environment = Environment()
        environment.now = Moment(milliseconds: context.time.milliseconds)
        environment.externalURL = context.externalURL
        environment.pathPrefix = path(of: context.externalURL)
        return environment
    }

    /// The path of a URL.
    static func path(of url: String) -> String {
        var rest = Substring(url)
        if let scheme = rest.utf8.firstIndex(of: UInt8(ascii: ":")), rest[scheme...].hasPrefix("://") {
            rest = rest[scheme...].dropFirst(3)
        }
        guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(rest[slash...].prefix { $0 != "?" && $0 != "#" })
    }

    private static func value(_ labels: LabelSet) -> Value {
        .stringMap(Dictionary(labels.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last }))
    }

    static func value(_ samples: [QuerySample]) -> Value {
        .list(
            List(
                SampleTypes.result,
                samples.map { sample in
                    let shown: Value = sample.valueText.map { .string($0) } ?? .double(sample.value)
                    return .record(Record(SampleTypes.sample, [value(sample.labels), shown]))
                }))
    }
}
