import ArgumentParser
import Glibc
import Actors
import Logging
import Streams

/// How the program tells what it does.
struct LogOptions: ParsableArguments {
    enum Form: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Option(help: "text or json, a line each.")
    var logFormat = Form.text

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("'\(logLevel)' is not a log level")
        }
    }

    func logger() -> Logger {
        var logger = Logger(label: "tocsin") { [logFormat] _ in LineLogHandler(form: logFormat) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        return logger
    }

    /// For libraries, whose news are no news to users.
    func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}

/// Writes each message as one line to standard error: time, level, sentence, then what varies as key=value pairs.
private struct LineLogHandler: LogHandler {
    let form: LogOptions.Form
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    init(form: LogOptions.Form) { self.form = form }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }.sorted { $0.key < $1.key }
        let time = SystemClock().now().rfc3339
        switch form {
        case .text:
            var line = "\(time) \(event.level) \(event.message)"
            for (key, value) in all { line += " \(key)=\(Self.shown("\(value)"))" }
            standardError(line)
        case .json:
            let members = [
                JSONValue.Member("time", .string(time)), .init("level", .string("\(event.level)")),
                .init("message", .string("\(event.message)")),
            ]
            standardError(JSONValue.object(members + all.map { .init($0.key, .string("\($0.value)")) }).text)
        }
    }

    /// Quoted where it could be taken for more than one word.
    private static func shown(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        return isPlain ? text : quoted(text)
    }
}
