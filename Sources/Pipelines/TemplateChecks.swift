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

    /// - Parameters:
    ///   - files: their paths, with where they were named.
    ///   - receivers: whose texts may call only what the files define, and what ships.
    static func run(_ files: [Located<String>], receivers: [Node], _ diagnostics: Diagnostics) {
        var texts: [(name: String, text: String)] = []
        for file in files {
            do throws(ConfigError) {
                let source = try SourceText(contentsOf: file.value)
                try check(source)
                texts.append((source.file, String(decoding: source.bytes, as: UTF8.self)))
            } catch {
                diagnostics.report(error)
            }
        }
        // What a file that can't be read would have defined is not known.
        guard texts.count == files.count else { return }
        do throws(TemplateError) {
            let templates = try NotificationTemplates(files: texts, clock: NoClock())
            for node in receivers { checkCalls(in: node, templates, diagnostics) }
        } catch {
            // Each file was good by itself; together they define something twice, say.
            if let last = files.last { diagnostics.report(.invalid("bad templates: \(error.message)"), at: last.node) }
        }
    }

    /// Every text of a receiver is looked at: which of them are templates, their sinks know.
    private static func checkCalls(in node: Node, _ templates: NotificationTemplates, _ diagnostics: Diagnostics) {
        for item in node.items ?? node.entries?.map(\.value) ?? [] { checkCalls(in: item, templates, diagnostics) }
        // A text that does not parse is told by its sink.
        guard let text = node.text, let missing = try? templates.undefined(in: text) else { return }
        for name in missing {
            let nearest = Spelling.nearest(to: name, in: templates.names.sorted())
            diagnostics.report(
                .invalid(
                    "template \(quoted(name)) is not defined" + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")),
                at: node)
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
