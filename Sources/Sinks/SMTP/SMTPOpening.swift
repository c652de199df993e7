import Streams
import Transport

/// The dialogue from the greeting to the point where mail can be handed over: EHLO, STARTTLS (RFC 3207), AUTH (RFC 4954).
package struct SMTPOpening: Sendable {
    package struct Settings: Sendable, Equatable {
        package var hello: String
        /// Nothing is said in the clear beyond the offer of STARTTLS.
        package var requiresTLS: Bool
        package var credentials: SMTPCredentials?
        /// The server is this machine.
        package var isLocal: Bool

        package init(hello: String, requiresTLS: Bool, credentials: SMTPCredentials?, isLocal: Bool) {
            self.hello = hello
            self.requiresTLS = requiresTLS
            self.credentials = credentials
            self.isLocal = isLocal
        }
    }

    private enum State {
        case greeting, ehlo, helo, startTLS, handshake, challenge([String]), cram, authenticated, done
    }

    private let settings: Settings
    private var isEncrypted: Bool
    private var state = State.greeting
    /// What the server offers on the stream as it is now.
    package private(set) var extensions = SMTPExtensions()

    package init(_ settings: Settings, isEncrypted: Bool) {
        self.settings = settings
        self.isEncrypted = isEncrypted
    }

    package mutating func received(_ reply: SMTPReply) -> SMTPAction {
        switch state {
        case .greeting:
            guard reply.code == 220 else { return .fail(reply.failure(while: "as its greeting")) }
            return hello()
        case .ehlo:
            if reply.code == 250 {
                extensions = SMTPExtensions(reply)
                return encryptOrAuthenticate()
            }
            // An old server does not know the word.
            guard (500...504).contains(reply.code) else { return .fail(reply.failure(while: "to EHLO")) }
            state = .helo
            return .send(["HELO \(settings.hello)"])
        case .helo:
            guard reply.code == 250 else { return .fail(reply.failure(while: "to HELO")) }
            return encryptOrAuthenticate()
        case .startTLS:
            guard reply.code == 220 else { return .fail(reply.failure(while: "to STARTTLS")) }
            state = .handshake
            return .startTLS
        case .challenge(let responses):
            guard reply.code == 334, let response = responses.first else { return authenticationFailure(reply) }
            state = responses.count > 1 ? .challenge(Array(responses.dropFirst())) : .authenticated
            return .send([response])
        case .cram:
            guard reply.code == 334 else { return authenticationFailure(reply) }
            guard let response = settings.credentials?.cramResponse(reply.lines.first ?? "") else {
                return .fail(
                    .unavailable(reason: "the mail server's CRAM-MD5 challenge can't be answered", retryAfter: nil))
            }
            state = .authenticated
            return .send([Self.encoded(response)])
        case .authenticated:
            guard reply.code == 235 else { return authenticationFailure(reply) }
            state = .done
            return .finished
        case .handshake, .done:
            return .fail(.unavailable(reason: "the mail server speaks out of turn", retryAfter: nil))
        }
    }

    /// The handshake is done: what was offered before it counts no more.
    package mutating func encrypted() -> SMTPAction {
        isEncrypted = true
        extensions = SMTPExtensions()
        return hello()
    }

    private mutating func hello() -> SMTPAction {
        state = .ehlo
        return .send(["EHLO \(settings.hello)"])
    }

    private mutating func encryptOrAuthenticate() -> SMTPAction {
        guard settings.requiresTLS, !isEncrypted else { return authenticate() }
        guard extensions.startTLS else {
            return .fail(
                .unavailable(
                    reason: "the mail server does not offer STARTTLS, and require_tls is true (the default)",
                    retryAfter: nil))
        }
        state = .startTLS
        return .send(["STARTTLS"])
    }

    /// A server that knows no AUTH is told nothing, as by Alertmanager: it will say whether it minds.
    private mutating func authenticate() -> SMTPAction {
        guard let credentials = settings.credentials, !extensions.mechanisms.isEmpty else {
            state = .done
            return .finished
        }
        do throws(SMTPAuthenticationProblem) {
            let isPrivate = isEncrypted || settings.isLocal
            switch try credentials.mechanism(offered: extensions.mechanisms, isPrivate: isPrivate) {
            case .cramMD5:
                state = .cram
                return .send(["AUTH CRAM-MD5"])
            case .plain:
                return plain(Self.encoded(credentials.plainResponse()))
            case .login:
                let password = credentials.password?.reveal() ?? ""
                state = .challenge([Self.encoded(credentials.user), Self.encoded(password)])
                return .send(["AUTH LOGIN"])
            }
        } catch {
            return .fail(.unavailable(reason: Self.reason(error, extensions.mechanisms), retryAfter: nil))
        }
    }

    private mutating func plain(_ response: String) -> SMTPAction {
        // A command line has 512 bytes at most; a response has 12,288 (RFC 4954, section 4).
        if response.utf8.count <= 490 {
            state = .authenticated
            return .send(["AUTH PLAIN \(response)"])
        }
        state = .challenge([response])
        return .send(["AUTH PLAIN"])
    }

    private static func encoded(_ text: String) -> String { Base64.encode(Array(text.utf8)) }

    private static func reason(_ problem: SMTPAuthenticationProblem, _ offered: Set<String>) -> String {
        switch problem {
        case .wouldRevealPassword:
            "the password is not sent without TLS; set require_tls to true"
        case .noMechanism:
            "no way to authenticate: the mail server offers "
                + offered.sorted().prefix(10).map { String($0.prefix(20)) }.joined(separator: ", ")
                + "; PLAIN and LOGIN need auth_password, CRAM-MD5 needs auth_secret or auth_password"
        }
    }

    private func authenticationFailure(_ reply: SMTPReply) -> SMTPAction {
        var shown = reply
        if settings.credentials?.isRevealed(in: reply.lines.joined(separator: " ")) == true { shown.lines = [] }
        return .fail(shown.failure(while: "to AUTH"))
    }
}
