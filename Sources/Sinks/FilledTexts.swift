import Streams

/// The templates of one message, filled in for one notification. One that fails is replaced and told in the message: a slip
/// in a template never loses an alert.
struct FilledTexts {
    private let notification: Notification
    private let renderer: any NotificationRenderer
    private var problem: RenderingError?

    private static let problemMax = 500

    init(_ notification: Notification, _ renderer: any NotificationRenderer) {
        self.notification = notification
        self.renderer = renderer
    }

    /// What to tell of the first template that failed; nil when none has.
    var note: String? {
        problem.map {
            "a template of this message can't be filled in: \($0.reason)".truncated(toScalars: Self.problemMax)
        }
    }

    /// - Returns: nil when the template fails, which is noted.
    mutating func optional(_ template: String) -> String? {
        do throws(RenderingError) {
            return try renderer.text(template, for: notification)
        } catch {
            problem = problem ?? error
            return nil
        }
    }

    mutating func text(_ template: String, or fallback: String = "") -> String { optional(template) ?? fallback }

    /// As a page. Nil when the template fails, which is noted.
    mutating func html(_ template: String) -> String? {
        do throws(RenderingError) {
            return try renderer.html(template, for: notification)
        } catch {
            problem = problem ?? error
            return nil
        }
    }
}
