import ArgumentParser

struct TestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Runs unit tests of rules, and test scripts of PromQL.",
        discussion: """
            Example: tocsin test pipelines/tests/*.yml
            """,
        subcommands: [TestRulesCommand.self, TestPromQLCommand.self], defaultSubcommand: TestRulesCommand.self)
}
