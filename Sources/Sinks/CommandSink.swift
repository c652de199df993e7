import Glibc
package import Streams
import Transport
package import YAML

/// Runs a program for each notification, with Alertmanager's document for programs on its standard input. Whoever may
/// write the configuration may run programs by it, so it is off until the one who starts Tocsin allows it.
package struct CommandSink: ConfigurableSink {
    package static let key = "command_configs"

    package struct Settings: Equatable, Sendable {
        /// A path.
        var program: String
        /// Templates.
        var arguments: [String]
        /// Beside `PATH`, `HOME`, `LANG` and `TZ` the only variables that the program sees. Values are templates.
        var environment: [Label]
        /// 0: all.
        var alertsMax: Int
        var timeout: Duration
        var sendsResolved: Bool
    }

    private let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package var sendsResolved: Bool { settings.sendsResolved }

    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, "a command config", diagnostics)
        defer { reader.finish() }
        let words = reader.optional("command", .list(of: Format { node, _ in node })) ?? []
        let program = words.first.flatMap { Format.path.decode($0, diagnostics) }
        let settings = Settings(
            program: program ?? "", arguments: words.dropFirst().compactMap { Format.template.decode($0, diagnostics) },
            environment: reader.value("environment", .templateList, default: []),
            alertsMax: reader.value("max_alerts", .integer(in: 0 ... .max), default: 0),
            timeout: reader.deliveryTimeout(), sendsResolved: reader.bool("send_resolved", default: true))
        if words.isEmpty { reader.report(.missingKey("command", in: "a command config"), at: "command") }
        return program == nil ? nil : settings
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        guard context.allowsCommands else {
            throw .refused(reason: "commands are off; \"tocsin run --allow-commands\" allows them")
        }
        var words = [settings.program]
        for argument in settings.arguments { words.append(try context.text(argument, notification)) }
        var variables = inherited
        for variable in settings.environment {
            variables.append("\(variable.name)=\(try context.text(variable.value, notification))")
        }
        if Self.holdsZero(words + variables) {
            throw .refused(reason: "an argument of the command holds a zero byte")
        }
        let document = AlertmanagerDocument.json(notification, alertsMax: settings.alertsMax)
        let run = CommandRun(
            words: words, variables: variables, input: document.bytes + [UInt8(ascii: "\n")],
            timeout: settings.timeout)
        try await BlockingWork.run(Self.work(run, context))
    }

    private static func work(
        _ run: CommandRun, _ context: SinkContext
    ) -> @Sendable (BlockingWork.Cancellation) -> DeliveryError? {
        { cancellation in judge(run.run(cancellation), run, context) }
    }

    private var inherited: [String] {
        ["PATH", "HOME", "LANG", "TZ"].compactMap { name in context.environment(name).map { "\(name)=\($0)" } }
    }

    private static func holdsZero(_ texts: [String]) -> Bool { texts.contains { $0.utf8.contains(0) } }

    /// What sysexits.h calls a failure that passes.
    private static let temporary: Int32 = 75

    private static func judge(_ outcome: CommandRun.Outcome, _ run: CommandRun, _ context: SinkContext)
        -> DeliveryError?
    {
        let name = run.words[0]
        switch outcome {
        case .exited(0, _): return nil
        case .exited(let code, let output):
            let reason = "\(name) ended with \(code)" + context.excerpt(String(decoding: output, as: UTF8.self))
            return code == temporary ? .unavailable(reason: reason, retryAfter: nil) : .refused(reason: reason)
        case .killed(let signal, let output):
            let reason = "\(name) was ended by signal \(signal)"
            return .unavailable(
                reason: reason + context.excerpt(String(decoding: output, as: UTF8.self)), retryAfter: nil)
        case .timedOut:
            return .unavailable(
                reason: "\(name) did not end within \(run.timeout.prometheusText)", retryAfter: nil)
        case .notStarted(let code):
            return .refused(reason: "can't run \(name): \(SystemError.text(code))")
        case .cancelled: return .cancelled
        }
    }
}
