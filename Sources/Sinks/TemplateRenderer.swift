package import Streams
package import Templates

/// Fills in what receivers say with the templates of one pipeline.
package struct TemplateRenderer: NotificationRenderer {
    private let templates: NotificationTemplates

    package init(_ templates: NotificationTemplates) { self.templates = templates }

    package func text(_ template: String, for notification: Notification) throws(RenderingError) -> String {
        do throws(TemplateError) {
            return try templates.text(template, for: notification)
        } catch {
            throw RenderingError(reason: error.description)
        }
    }

    package func html(_ template: String, for notification: Notification) throws(RenderingError) -> String {
        do throws(TemplateError) {
            return try templates.html(template, for: notification)
        } catch {
            throw RenderingError(reason: error.description)
        }
    }
}
