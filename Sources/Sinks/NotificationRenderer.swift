package import Streams

/// What fills in a receiver's templates: Go's text/template and html/template over a notification, with the named templates
/// of the pipeline (`{{ template "email.default.html" . }}`).
package protocol NotificationRenderer: Sendable {
    func text(_ template: String, for notification: Notification) throws(RenderingError) -> String
    /// With what comes from the notification escaped for where it stands in the HTML.
    func html(_ template: String, for notification: Notification) throws(RenderingError) -> String
}

/// Why a template could not be filled in, for whoever wrote it: its name and line.
package struct RenderingError: Error, Sendable, Equatable, CustomStringConvertible {
    package var reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}
