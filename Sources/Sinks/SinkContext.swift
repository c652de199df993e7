package import Streams
package import Transport

/// What every sink needs from the program around it, beside its own settings.
package struct SinkContext: Sendable {
    package var http: HTTPClient
    /// For sinks that do not speak HTTP.
    package var connector: any ByteStreamConnector
    package var renderer: any NotificationRenderer
    package var clock: any WallClock
    /// 64 random bits: message ids, boundaries.
    package var random: @Sendable () -> UInt64

    package init(
        http: HTTPClient, connector: any ByteStreamConnector, renderer: any NotificationRenderer,
        clock: any WallClock, random: @escaping @Sendable () -> UInt64
    ) {
        self.http = http
        self.connector = connector
        self.renderer = renderer
        self.clock = clock
        self.random = random
    }

    /// The template's text, where nothing can stand in for it: what can't be filled in is refused, for trying again would
    /// not help.
    package func text(_ template: String, _ notification: Notification) throws(DeliveryError) -> String {
        do throws(RenderingError) {
            return try renderer.text(template, for: notification)
        } catch {
            throw .refused(reason: "\(error)")
        }
    }
}
