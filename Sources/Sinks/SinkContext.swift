import Glibc
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
    /// A variable of the program's environment, for what a service's own tools find there.
    package var environment: @Sendable (String) -> String?
    /// Whether receivers may run programs: the decision of whoever starts this one, not of its files.
    package var allowsCommands: Bool

    package init(
        http: HTTPClient, connector: any ByteStreamConnector, renderer: any NotificationRenderer,
        clock: any WallClock, random: @escaping @Sendable () -> UInt64,
        allowsCommands: Bool = false,
        environment: @escaping @Sendable (String) -> String? = { getenv($0).map { String(cString: $0) } }
    ) {
        self.http = http
        self.connector = connector
        self.renderer = renderer
        self.clock = clock
        self.random = random
        self.environment = environment
        self.allowsCommands = allowsCommands
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

    /// A secret as it is now. Maybe a template, as for Alertmanager: alerts of several services through one receiver.
    /// White space at its ends, which files like to have, is no part of it.
    /// - Parameter name: what errors call it, as in "the routing key".
    func secret(_ text: SecretText, _ name: String, _ notification: Notification) throws(DeliveryError) -> Secret {
        var secret: String
        do throws(TransportError) {
            secret = try text.read().reveal()
        } catch {
            throw .refused(reason: error.description)
        }
        if secret.contains("{{") {
            do throws(RenderingError) {
                secret = try renderer.text(secret, for: notification)
            } catch {
                throw .refused(reason: "\(name)'s template can't be filled in")
            }
        }
        secret = secret.trimmed
        guard !secret.isEmpty else { throw .refused(reason: "\(name) is empty") }
        return Secret(secret)
    }
}

extension Notification {
    /// The group's key in a form that every service takes as a key of its own (SHA-256 in hexadecimal): the same as
    /// Alertmanager's, so that either ends what the other began.
    var groupHash: String { Digest.sha256(groupKey) }
}
