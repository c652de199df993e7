import Streams
import Templates
package import YAML

extension Format where Value == String {
    /// A receiver's template. Its syntax is checked where it is read, and told at the place of the slip; which templates and
    /// labels there are, shows when it is filled in.
    package static var template: Format {
        Format { node, diagnostics in
            guard let text = Format.labelValue.decode(node, diagnostics) else { return nil }
            if let error = TemplateSyntax.failure(text) {
                diagnostics.report(
                    ConfigError(
                        node.location(ofByte: error.byteOffset(in: text)),
                        .invalid("invalid template: \(error.message)")))
            }
            return text
        }
    }

    static var nonEmptyTemplate: Format { Format.template.checked { $0.isEmpty ? "must not be empty" : nil } }
}

extension Format where Value == [Label] {
    /// Names to templates.
    static var templateList: Format {
        Format { node, diagnostics in
            guard let labels = Format.labelList.decode(node, diagnostics) else { return nil }
            for entry in node.entries ?? [] { _ = Format<String>.template.decode(entry.value, diagnostics) }
            return labels
        }
    }
}

/// Templates for the sake of their syntax alone: nothing is filled in, so time does not matter.
enum TemplateSyntax {
    private static let shared = Result { () throws(TemplateError) in try NotificationTemplates(clock: StoppedClock()) }

    /// Nil for a text that is a template.
    static func failure(_ text: String) -> TemplateError? {
        // Text without an action is a template of itself, and most settings are that.
        guard text.contains("{{"), case .success(let templates) = shared else { return nil }
        do throws(TemplateError) {
            try templates.check(text, html: false)
            return nil
        } catch {
            return error
        }
    }

    private struct StoppedClock: WallClock {
        func now() -> Timestamp { Timestamp(milliseconds: 0) }
        func sleep(until deadline: Timestamp) async throws { throw CancellationError() }
    }
}
