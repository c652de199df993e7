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
            for line in ErrorListing.lines(error) { print(line) }
            print(Self.count(error.errors.count, "error"))
            throw ExitCode(1)
        }
    }

    private static func summary(_ pipeline: PipelinePlan) -> String {
        let rules = pipeline.ruleGroups.flatMap(\.rules)
        let alerts = rules.count(where: \.isAlert)
        return "\(pipeline.file): pipeline \(pipeline.name) is good: \(count(pipeline.sources.count, "source")), "
            + "\(count(rules.count - alerts, "recording rule")), \(count(alerts, "alert")), "
            + count(pipeline.receivers.count, "receiver")
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
