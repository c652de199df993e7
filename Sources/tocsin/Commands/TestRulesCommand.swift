import ArgumentParser
import Glibc
import Pipelines
import PromQL
import Streams
import YAML

struct TestRulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Runs unit tests of rules, as promtool does.",
        discussion: """
            Takes the files of `promtool test rules` unchanged. Exits with 1 if a test fails.

            Example: tocsin test tests/*.yml --run 'InstanceDown'
            """)

    @Argument(help: "Files of unit tests.")
    var files: [String]

    @Option(
        help: ArgumentHelp(
            "Only tests whose name this regular expression matches anywhere; may be repeated, one has to match.",
            valueName: "regex"))
    var run: [String] = []

    @Option(help: ArgumentHelp("Writes the results as JUnit's XML.", valueName: "file"))
    var junit: String?

    @Flag(help: "Prints all samples at the end of each test.")
    var debug = false

    @Flag(help: "Keys in rule files that nobody knows are no error.")
    var ignoreUnknownFields = false

    @OptionGroup var language: LanguageOptions

    @OptionGroup var variables: EnvironmentOptions

    func run() async throws {
        let player = RuleTestPlayer(settings: try settings())
        var reports: [RuleTestReport] = []
        for file in files {
            let report = await player.play(file)
            print(report)
            reports.append(report)
        }
        let tests = reports.reduce(0) { $0 + $1.results.count }
        let failed = reports.reduce(0) { $0 + $1.results.count { !$0.hasPassed } }
        let unread = reports.count { !$0.errors.isEmpty }
        standardOutput(
            "\(tests) tests in \(reports.count) files: \(tests - failed) passed, \(failed) failed"
                + (unread > 0 ? ", \(unread) files with errors" : ""))
        if let junit { try write(JUnitReport(reports).text, to: junit) }
        if reports.contains(where: { !$0.hasPassed }) { throw ExitCode(1) }
    }

    private func settings() throws -> RuleTestPlayer.Settings {
        var settings = RuleTestPlayer.Settings()
        for pattern in run {
            do throws(RegularExpression.SyntaxError) {
                settings.only.append(try RegularExpression(pattern))
            } catch {
                throw ValidationError("--run: \(error)")
            }
        }
        settings.ignoresUnknownKeys = ignoreUnknownFields
        settings.dumpsSamples = debug
        settings.language = language.features.parser
        settings.evaluation = language.features.evaluation
        do throws(ConfigErrors) {
            settings.environment = try variables.environment()
        } catch {
            for line in error.errors { standardError("\(line)") }
            throw ExitCode(1)
        }
        return settings
    }

    private func print(_ report: RuleTestReport) {
        for notice in report.notices { standardError("\(notice)") }
        for error in report.errors { standardOutput("\(error)") }
        for result in report.results {
            for line in result.dump { standardOutput("debug: \(result.title): \(line)") }
            for failure in result.failures { standardOutput("\(failure)") }
        }
        if report.hasPassed { standardOutput("\(report.path): \(report.results.count) tests passed") }
    }

    private func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else {
            standardError("can't write \(path): \(String(cString: strerror(errno)))")
            throw ExitCode(1)
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            standardError("can't write \(path): \(String(cString: strerror(errno)))")
            throw ExitCode(1)
        }
    }
}
