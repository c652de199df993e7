import ArgumentParser
import Glibc
import Pipelines
import PromQL
import Streams
import YAML

/// Which pipelines, and what `${NAME}` in them stands for: what several commands have in common.
struct PipelineOptions: ParsableArguments {
    @Argument(help: "Pipeline files, or folders of them.")
    var paths: [String]

    @OptionGroup var variables: EnvironmentOptions

    @OptionGroup var language: LanguageOptions

    /// - Parameter extra: variables that are set where neither the file nor the environment sets them.
    /// - Throws: all that is wrong, in any file.
    func load(extra: [String: String] = [:]) throws(ConfigErrors) -> Plan {
        try PipelineLoader(environment: try variables.environment(extra), language: language.features.parser).load(
            paths)
    }
}

/// What a server runs: pipelines, an alertmanager.yml, or both.
struct RunnableOptions: ParsableArguments {
    @Argument(help: "Pipeline files, or folders of them.")
    var paths: [String] = []

    @Option(
        help: ArgumentHelp(
            "An alertmanager.yml to run as it is, as the pipeline named default.", valueName: "file"))
    var alertmanager: String?

    @OptionGroup var variables: EnvironmentOptions

    @OptionGroup var language: LanguageOptions

    func validate() throws {
        if paths.isEmpty, alertmanager == nil {
            throw ValidationError("Missing expected argument '<paths> ...': name pipelines, or --alertmanager <file>")
        }
    }

    var allPaths: [String] { paths + (alertmanager.map { [$0] } ?? []) }

    /// - Parameter extra: variables that are set where neither the file nor the environment sets them.
    /// - Throws: all that is wrong, in any file.
    func load(extra: [String: String] = [:]) throws(ConfigErrors) -> Plan {
        try PipelineLoader(environment: try variables.environment(extra), language: language.features.parser).load(
            paths, alertmanager: alertmanager)
    }
}

/// What `${NAME}` in pipelines stands for.
struct EnvironmentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Reads KEY=VALUE lines; they come before the environment's variables.", valueName: "file"))
    var envFile: String?

    /// - Parameter extra: variables that are set where neither the file nor the environment sets them.
    func environment(_ extra: [String: String] = [:]) throws(ConfigErrors) -> Environment {
        var variables = extra
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        if let envFile {
            let diagnostics = Diagnostics()
            do throws(ConfigError) {
                let source = try SourceText(contentsOf: envFile)
                variables.merge(EnvironmentFile.parse(source, diagnostics: diagnostics)) { _, fromFile in fromFile }
            } catch {
                diagnostics.report(error)
            }
            try diagnostics.check()
        }
        return Environment(variables)
    }
}
