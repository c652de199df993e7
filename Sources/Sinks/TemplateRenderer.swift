package import Streams
package import Templates

/// Fills in what receivers say with the templates of one pipeline.
package struct TemplateRenderer: NotificationRenderer {
    private let templates: NotificationTemplates
    private let failed: @Sendable (String) -> Void

    /// - Parameter failed: told of each template that can't be filled in, and why.
    package init(_ templates: NotificationTemplates, failed: @escaping @Sendable (String) -> Void = { _ in }) {
        self.templates = templates
        self.failed = failed
    }

    package func text(_ template: String, for notification: Notification) throws(RenderingError) -> String {
        do throws(TemplateError) {
            return try templates.text(template, for: notification)
        } catch {
            failed(error.description)
            throw RenderingError(reason: error.description)
        }
    }

    package func html(_ template: String, for notification: Notification) throws(RenderingError) -> String {
        do throws(TemplateError) {
            return try templates.html(template, for: notification)
        } catch {
            failed(error.description)
            throw RenderingError(reason: error.description)
        }
    }
}
