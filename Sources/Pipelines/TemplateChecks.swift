internal import Streams
internal import Templates
internal import YAML

/// Reads template files to see that they parse, so that a bad one fails the loading and not a notification.
struct TemplateChecks {
    /// Nothing is executed, so nobody asks for the time.
    private struct NoClock: WallClock {
        func now() -> Timestamp { Timestamp(milliseconds: 0) }
        func sleep(until deadline: Timestamp) async throws {}
    }

    /// - Parameter files: their paths, with where they were named.
    static func run(_ files: [Located<String>], _ diagnostics: Diagnostics) {
        for file in files {
            do throws(ConfigError) {
                let source = try SourceText(contentsOf: file.value)
                try check(source)
            } catch {
                diagnostics.report(error)
            }
        }
    }

    private static func check(_ source: SourceText) throws(ConfigError) {
        do throws(TemplateError) {
            let text = String(decoding: source.bytes, as: UTF8.self)
            _ = try NotificationTemplates(files: [(source.file, text)], clock: NoClock())
        } catch {
            let place = SourceLocation(file: source.file, line: max(error.line, 1), column: (error.column ?? 0) + 1)
            throw ConfigError(place, .expression("bad template: \(error.message)"))
        }
    }
}
