package import Streams
import Synchronization
import Transport
package import YAML

/// Sends messages of an application of WeCom, WeChat for companies
/// (developer.work.weixin.qq.com/document/path/90236).
package struct WeChatSink: ServiceSink {
    package static let key = "wechat_configs"

    package let settings: Settings
    private let context: SinkContext
    private let tokens = TokenCache()

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let message = try self.message(notification)
        let kept = try await token(notification)
        do throws(DeliveryError) {
            try await send(message, kept.token)
        } catch {
            // A token may end before its time; a new one tells whether that was it.
            guard kept.isOld, tokens.value == nil else { throw error }
            try await send(message, try await token(notification).token)
        }
    }

    // MARK: tokens

    /// The access token, which all deliveries of one integration share.
    private final class TokenCache: Sendable {
        private let kept = Mutex<(token: Secret, until: Timestamp)?>(nil)

        var value: (token: Secret, until: Timestamp)? { kept.withLock { $0 } }

        func keep(_ token: Secret, until time: Timestamp) { kept.withLock { $0 = (token, time) } }

        /// Forgets the token unless there is another one by now.
        func drop(_ token: Secret) { kept.withLock { if $0?.token == token { $0 = nil } } }
    }

    private static let tokenLife = Duration.seconds(7200)

    private func token(_ notification: Notification) async throws(DeliveryError) -> (token: Secret, isOld: Bool) {
        if let kept = tokens.value, context.clock.now() < kept.until { return (kept.token, true) }
        let secret = try context.secret(settings.secret, "the API secret", notification)
        let company = try context.text(settings.company, notification)
        let url = try context.url(
            settings.url, ["gettoken"], query: [("corpsecret", secret.reveal()), ("corpid", company)])
        let answer = try await context.send(ServiceRequest(.get, url, secrets: [secret]), settings.service)
        // The text of this answer is a secret itself.
        try context.judge(ServiceAnswer(status: answer.status, text: "", retryAfter: answer.retryAfter), of: "WeChat")
        guard let result = answer.json else {
            throw .unavailable(reason: "WeChat's answer is not JSON", retryAfter: nil)
        }
        guard let text = result["access_token"]?.string, !text.isEmpty else { throw failure(result) }
        let life = result["expires_in"]?.seconds ?? Self.tokenLife
        tokens.keep(Secret(text), until: context.clock.now() + min(life, Self.tokenLife))
        return (Secret(text), false)
    }

    // MARK: messages

    private func send(_ message: JSONValue, _ token: Secret) async throws(DeliveryError) {
        let url = try context.url(settings.url, ["message", "send"], query: [("access_token", token.reveal())])
        let answer = try await context.send(
            ServiceRequest(.post, url, .json(message), secrets: [token]), settings.service)
        try context.judge(answer, of: "WeChat")
        guard let result = answer.json, case .integer(let code)? = result["errcode"] else {
            throw .unavailable(reason: "WeChat's answer is not JSON with an \"errcode\"", retryAfter: nil)
        }
        if code == 0 { return }
        if Self.tokenErrors.contains(code) { tokens.drop(token) }
        throw failure(result)
    }

    /// Invalid, missing and expired access tokens.
    private static let tokenErrors: Set<Int64> = [40_001, 40_014, 41_001, 42_001]
    /// The system is busy, or was asked too often.
    private static let passingErrors: Set<Int64> = [-1, 45_009, 45_033]

    private func failure(_ result: JSONValue) -> DeliveryError {
        var code: Int64 = 0
        if case .integer(let number)? = result["errcode"] { code = number }
        let reason = "WeChat says" + context.excerpt("\(code) \(result["errmsg"]?.string ?? "without a reason")")
        let passes = Self.passingErrors.contains(code) || code == 42_001
        return passes ? .unavailable(reason: reason, retryAfter: nil) : .refused(reason: reason)
    }

    /// Of a text, in bytes.
    private static let textBytesMax = 2048

    func message(_ notification: Notification) throws(DeliveryError) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var message: [JSONValue.Member] = []
        message.add("touser", filled.text(settings.user))
        message.add("toparty", filled.text(settings.party))
        message.add("totag", filled.text(settings.tag))
        message.add("agentid", filled.text(settings.agent))
        message.add("msgtype", settings.type)
        message.add("safe", "0")
        let text = filled.mainText(settings.message).truncated(toBytes: Self.textBytesMax)
        message.append(.init(settings.type, ["content": .string(text)]))
        return .object(message)
    }
}

extension WeChatSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a wechat config"
        package var service: ServiceSettings
        var url: URLString
        var secret: SecretText
        /// These are templates.
        var company: String, message: String, user: String, party: String, tag: String, agent: String
        /// `text` or `markdown`.
        var type: String

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals, sendsResolved: false)
            message = reader.template("message", calling: "wechat.default.message")
            user = reader.template("to_user", calling: "wechat.default.to_user")
            party = reader.template("to_party", calling: "wechat.default.to_party")
            tag = reader.template("to_tag", calling: "wechat.default.to_tag")
            agent = reader.template("agent_id", calling: "wechat.default.agent_id")
            let type = reader.value("message_type", .text(oneOf: ["text", "markdown", ""]), default: "text")
            self.type = type.isEmpty ? "text" : type
            url = reader.optional("api_url", .urlString) ?? globals.weChat.url
            let own = reader.template("corp_id")
            company = own.isEmpty ? globals.weChat.company : own
            let secret = reader.secret("api_secret", orFile: "api_secret_file") ?? globals.weChat.secret
            if secret == nil {
                reader.report(
                    .invalid("no WeChat secret: set \"api_secret\" here, or \"wechat_api_secret\" in global"),
                    at: "api_secret")
            }
            if company.isEmpty {
                reader.report(
                    .invalid("no WeChat company: set \"corp_id\" here, or \"wechat_api_corp_id\" in global"),
                    at: "corp_id")
            }
            guard let secret, !company.isEmpty else { return nil }
            self.secret = secret
        }
    }

    /// The `wechat_` keys of `global`.
    package struct Globals: Sendable, Equatable {
        var url = URLString.known("https://qyapi.weixin.qq.com/cgi-bin/")
        var secret: SecretText?
        var company = ""

        package init() {}

        init(_ reader: MappingReader) {
            secret = reader.secret("wechat_api_secret", orFile: "wechat_api_secret_file")
            company = reader.template("wechat_api_corp_id")
            if let own = reader.optional("wechat_api_url", .urlString) { url = own }
        }
    }
}
