import ArgumentParser
import Server
import Streams

/// Who may read the API, under Prometheus's names.
struct WebOptions: ParsableArguments {
    @Option(
        name: .customLong("web.cors.origin"),
        help: ArgumentHelp(
            "Pages of which other sites may read the API in a browser: matches the whole origin.", valueName: "regex"),
        transform: { try Self.crossOrigin($0) })
    var crossOrigin = CrossOrigin.any

    private static func crossOrigin(_ pattern: String) throws -> CrossOrigin {
        do throws(RegularExpression.SyntaxError) {
            return try CrossOrigin(pattern)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
