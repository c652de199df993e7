import ArgumentParser
import Pipelines
import YAML

struct GraphCommand: AsyncParsableCommand {
    enum Form: String, ExpressibleByArgument, CaseIterable { case dot, mermaid }

    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Prints the dataflow graph of pipelines.",
        discussion: """
            Example: tocsin graph pipelines --format dot | dot -Tsvg > graph.svg
            """)

    @OptionGroup var pipelines: PipelineOptions

    @Option(help: "dot or mermaid.")
    var format = Form.mermaid

    func run() async throws {
        do throws(ConfigErrors) {
            let graph = PlanGraph(try pipelines.load())
            print(format == .dot ? graph.dot : graph.mermaid)
        } catch {
            for line in error.errors { standardError("\(line)") }
            throw ExitCode(1)
        }
    }
}
