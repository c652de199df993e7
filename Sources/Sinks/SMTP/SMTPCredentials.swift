package import Streams
import Transport

/// Who says he is who, and what proves it.
package struct SMTPCredentials: Sendable, Equatable {
    package var user: String
    package var password: Secret?
    /// For whom the user acts, with PLAIN.
    package var identity: String
    /// What both sides know and nobody sends, for CRAM-MD5.
    package var sharedSecret: Secret?

    package init(user: String, password: Secret? = nil, identity: String = "", sharedSecret: Secret? = nil) {
        self.user = user
        self.password = password
        self.identity = identity
        self.sharedSecret = sharedSecret
    }

    enum Mechanism: String { case cramMD5 = "CRAM-MD5", plain = "PLAIN", login = "LOGIN" }

    /// The strongest offered that these credentials allow. A password travels only where nobody listens.
    func mechanism(offered: Set<String>, isPrivate: Bool) throws(SMTPAuthenticationProblem) -> Mechanism {
        let offers = { (mechanism: Mechanism) in offered.contains(mechanism.rawValue) }
        if sharedSecret != nil, offers(.cramMD5) { return .cramMD5 }
        if password != nil {
            if isPrivate, offers(.plain) { return .plain }
            if isPrivate, offers(.login) { return .login }
            if offers(.cramMD5) { return .cramMD5 }
            if offers(.plain) || offers(.login) { throw .wouldRevealPassword }
        }
        throw .noMechanism
    }

    /// RFC 4616.
    func plainResponse() -> String { "\(identity)\0\(user)\0\(password?.reveal() ?? "")" }

    /// RFC 2195: the user, and the challenge's digest under the secret. Nil when the challenge is none, or MD5 is forbidden.
    func cramResponse(_ challenge: String) -> String? {
        guard let bytes = Base64.decode(challenge), let secret = sharedSecret ?? password,
            let digest = Digest.hmacMD5(key: Array(secret.reveal().utf8), bytes)
        else { return nil }
        return "\(user) \(Digest.hexadecimal(digest))"
    }

    /// Whether a text that a server sent holds what we sent it.
    func isRevealed(in text: String) -> Bool {
        [password, sharedSecret].contains { secret in
            guard let value = secret?.reveal(), !value.isEmpty else { return false }
            let forms = [value, Base64.encode(Array(value.utf8)), Base64.encode(Array(plainResponse().utf8))]
            return forms.contains { text.contains($0) }
        }
    }
}

enum SMTPAuthenticationProblem: Error { case wouldRevealPassword, noMechanism }
