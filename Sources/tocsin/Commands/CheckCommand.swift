import ArgumentParser
import Pipelines
import PromQL
import YAML

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads pipelines and tells everything that is wrong with them.",
        discussion: """
            Prints each error as file:line:column: what is wrong, what would be right; exits with 1 if there is one.
            Prometheus's rule files, files of rule tests, prometheus.yml and alertmanager.yml are checked as well.

            Example: tocsin check pipelines --env-file .env
            """)

    @OptionGroup var pipelines: PipelineOptions

    func run() async throws {
        do throws(ConfigErrors) {
            let report = FileCheck(
                environment: try pipelines.variables.environment(), language: pipelines.language.features.parser
            ).run(pipelines.paths)
            for notice in report.notices { print("\(notice)") }
            for line in report.summaries { print(line) }
            if !report.errors.isEmpty { throw ConfigErrors(report.errors) }
        } catch {
            for line in ErrorListing.lines(error) { print(line) }
            print(error.errors.count == 1 ? "1 error" : "\(error.errors.count) errors")
            throw ExitCode(1)
        }
    }
}
