import Actors
import ArgumentParser
import Pipelines
import YAML

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads pipelines and tells everything that is wrong with them.",
        discussion: """
            Prints each error as file:line:column: what is wrong, what would be right; exits with 1 if there is one.

            Example: tocsin check pipelines --env-file .env
            """)

    @OptionGroup var pipelines: PipelineOptions

    func run() async throws {
        do throws(ConfigErrors) {
            let plan = try pipelines.load()
            for notice in plan.notices { print("\(notice)") }
            for pipeline in plan.pipelines { print(Self.summary(pipeline)) }
        } catch {
            for line in error.errors { print("\(line)") }
            print(error.errors.count == 1 ? "1 error" : "\(error.errors.count) errors")
            throw ExitCode(1)
        }
    }

    private static func summary(_ pipeline: PipelinePlan) -> String {
        let rules = pipeline.ruleGroups.flatMap(\.rules)
        let alerts = rules.count(where: \.isAlert)
        return "\(pipeline.file): pipeline \(pipeline.name) is good: \(pipeline.sources.count) sources, "
            + "\(rules.count - alerts) recording rules, \(alerts) alerts, \(pipeline.receivers.count) receivers"
    }
}
