package import Streams
import Synchronization
package import Transport
import YAML

/// Sends mail: Alertmanager's `email_configs`, over a mail server that Tocsin speaks SMTP with by itself.
package struct EmailSink: ConfigurableSink {
    package static let key = "email_configs"

    package struct Settings: Equatable, Sendable {
        package var sendsResolved = false
        /// Templates of address lists.
        package var to = ""
        package var from = ""
        package var server = Smarthost(host: "localhost", port: 25)
        package var hello = "localhost"
        package var user = ""
        package var password: SecretText?
        package var identity = ""
        package var sharedSecret: SecretText?
        /// Templates by name, as the file has them.
        package var headers: [Header] = []
        package var html = "{{ template \"email.default.html\" . }}"
        /// Nil: the text that ships beside the HTML that ships, nothing beside a user's own.
        package var text: String?
        package var requiresTLS = true
        package var implicitTLS = false
        package var tls = TLSSettings()
        package var threading: Threading?
        package var patience = SMTPConnection.Patience()
        package var idleMax = Duration.seconds(30)

        package init() {}
    }

    package struct Header: Equatable, Sendable {
        package var name: String
        package var template: String
        package init(name: String, template: String) {
            self.name = name
            self.template = template
        }
    }

    /// Mails about one group form one conversation.
    package struct Threading: Equatable, Sendable {
        /// A new conversation every day (UTC).
        package var isDaily: Bool
        package init(isDaily: Bool) { self.isDaily = isDaily }
    }

    static let defaultSubject = "{{ template \"email.default.subject\" . }}"
    static let defaultText = "{{ template \"email.default.text\" . }}"

    private let settings: Settings
    private let context: SinkContext
    private let connections: SMTPConnections
    private let progress: RecipientProgress

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
        connections = SMTPConnections(context.connector, context.clock)
        progress = RecipientProgress()
    }

    package var sendsResolved: Bool { settings.sendsResolved }

    /// Returns once the server has taken the mail for every recipient. When it takes it for some only, the others are tried
    /// alone with the next try of the same notification.
    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let letter = try EmailLetter(notification, settings, context)
        let done = progress.done(notification.id)
        let recipients = letter.recipients.filter { !done.contains($0) }
        guard !recipients.isEmpty else { return }
        let bytes = letter.message.bytes()
        let isEightBit = bytes.contains { $0 >= 0x80 }
        let envelope = SMTPTransaction.Envelope(
            from: letter.message.from.address, recipients: recipients, sizeBytes: bytes.count, isEightBit: isEightBit,
            needsUTF8: isEightBit || letter.needsUTF8)
        let outcome = try await connections.send(bytes, envelope, try connectionSettings())
        try conclude(notification.id, outcome, done: done)
    }

    private func connectionSettings() throws(DeliveryError) -> SMTPConnections.Settings {
        SMTPConnections.Settings(
            server: settings.server, implicitTLS: settings.implicitTLS, tls: settings.tls,
            opening: SMTPOpening.Settings(
                hello: settings.hello, requiresTLS: settings.requiresTLS, credentials: try credentials(),
                isLocal: settings.server.isLocal),
            patience: settings.patience, idleMax: settings.idleMax)
    }

    /// Read anew each time: a file's secret may have been rotated.
    private func credentials() throws(DeliveryError) -> SMTPCredentials? {
        guard !settings.user.isEmpty else { return nil }
        do throws(TransportError) {
            return SMTPCredentials(
                user: settings.user, password: try settings.password?.read(), identity: settings.identity,
                sharedSecret: try settings.sharedSecret?.read())
        } catch {
            throw DeliveryError(error)
        }
    }

    private func conclude(
        _ id: String, _ outcome: SMTPConnection.Outcome, done: Set<String>
    ) throws(DeliveryError) {
        guard let first = outcome.rejected.first(where: { $0.reply.isTransient }) ?? outcome.rejected.first else {
            progress.forget(id)
            return
        }
        let taken = done.count + outcome.accepted.count
        let reason =
            "\(taken) of \(taken + outcome.rejected.count) recipients have it; for \(first.recipient) the mail server said "
            + "\"\(first.reply)\""
        if first.reply.isTransient {
            progress.note(id, done.union(outcome.accepted))
            throw .unavailable(reason: reason, retryAfter: nil)
        }
        progress.forget(id)
        throw taken > 0 ? .partly(reason: reason) : .refused(reason: reason)
    }
}

extension Smarthost {
    /// It is this machine, so nobody can listen in between.
    var isLocal: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }
}

/// Who has got a notification already that others still wait for, so that a retry goes to these alone. It remembers the
/// latest few hundred.
private final class RecipientProgress: Sendable {
    private static let idsMax = 256

    private struct State {
        var done: [String: Set<String>] = [:]
        var order: [String] = []
    }

    private let state = Mutex(State())

    func done(_ id: String) -> Set<String> { state.withLock { $0.done[id] ?? [] } }

    func note(_ id: String, _ recipients: Set<String>) {
        state.withLock { state in
            if state.done.updateValue(recipients, forKey: id) == nil { state.order.append(id) }
            if state.order.count > Self.idsMax { state.done[state.order.removeFirst()] = nil }
        }
    }

    func forget(_ id: String) {
        state.withLock { state in
            if state.done.removeValue(forKey: id) != nil { state.order.removeAll { $0 == id } }
        }
    }
}
