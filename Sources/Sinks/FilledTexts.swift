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

    /// The text that matters most, filled in after all the others, so that it can tell of the first that failed; plain
    /// words stand in for itself.
    /// - Parameter scalarsMax: what the service takes; the note about a template is not what is cut.
    mutating func mainText(_ template: String, scalarsMax: Int = .max) -> String {
        let text = text(template, or: NotificationSummary.text(notification))
        guard let note else { return text.truncated(toScalars: scalarsMax) }
        return text.truncated(toScalars: max(0, scalarsMax - note.unicodeScalars.count - 1)) + "\n\(note)"
    }

    /// A line that says what it is about; plain words stand in for it.
    mutating func title(_ template: String, scalarsMax: Int = .max) -> String {
        text(template, or: NotificationSummary.title(notification)).truncated(toScalars: scalarsMax)
    }

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
