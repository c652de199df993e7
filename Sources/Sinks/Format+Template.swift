import Streams
import Templates
package import YAML

extension Format where Value == String {
    /// A receiver's template. Its syntax is checked where it is read; which templates and labels there are, shows when it is
    /// filled in.
    package static var template: Format {
        Format { node, diagnostics in
            guard let text = Format.labelValue.decode(node, diagnostics) else { return nil }
            // Text without an action is a template of itself, and most settings are that.
            guard text.contains("{{"), case .success(let templates) = TemplateSyntax.shared else { return text }
            do throws(TemplateError) {
                try templates.check(text, html: false)
            } catch {
                diagnostics.report(.expression("invalid template: \(error.message)"), at: node)
            }
            return text
        }
    }
}

/// Templates for the sake of their syntax alone: nothing is filled in, so time does not matter.
private enum TemplateSyntax {
    static let shared = Result { () throws(TemplateError) in try NotificationTemplates(clock: StoppedClock()) }

    private struct StoppedClock: WallClock {
        func now() -> Timestamp { Timestamp(milliseconds: 0) }
        func sleep(until deadline: Timestamp) async throws { throw CancellationError() }
    }
}
