package import Streams
import Transport
package import YAML

/// Publishes each notification to a topic, an endpoint or a phone by Amazon's Simple Notification Service
/// (docs.aws.amazon.com/sns/latest/api/API_Publish.html).
package struct SNSSink: ServiceSink {
    package static let key = "sns_configs"

    package let settings: Settings
    private let context: SinkContext
    private let source: AWSCredentialSource

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
        source = AWSCredentialSource(settings.access, context, settings.service)
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let target = try context.text(settings.target.template, notification)
        guard let region = source.region() ?? Self.region(of: target) else {
            throw .refused(reason: "no AWS region in sigv4, in AWS_REGION, nor in the profile")
        }
        let own = try context.text(settings.url, notification)
        let url = own.isEmpty ? AWSRequest.endpoint("sns", region) : own
        let request = try AWSRequest(url, "sns", region, fields(notification, target))
        let credentials = try await source.credentials(region: region)
        let answer = try await request.send(credentials, context, settings.service)
        if answer.status == 403 { source.forget() }
        try AWSRequest.judge(answer, of: "SNS", context)
    }

    /// `arn:aws:sns:us-east-2:123456789012:topic`
    private static func region(of target: String) -> String? {
        let parts = target.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 5 && !parts[3].isEmpty ? String(parts[3]) : nil
    }

    /// Documented bounds: of a message in bytes, of a message to a phone and of a subject in characters.
    private enum Limit {
        static let messageBytes = 256 << 10, phoneMessage = 1600, subject = 100
    }

    func fields(_ notification: Notification, _ target: String) -> [(name: String, value: String)] {
        var filled = FilledTexts(notification, context.renderer)
        var fields = [("Action", "Publish"), ("Version", "2010-03-31"), (settings.target.parameter, target)]
        if case .topic = settings.target, target.hasSuffix(".fifo") {
            fields.append(("MessageGroupId", notification.groupHash))
            // The same for every try of one notification, and another one for the next.
            fields.append(("MessageDeduplicationId", Digest.sha256(notification.id)))
        }
        let subject = Self.subject(filled.title(settings.subject))
        if !subject.isEmpty { fields.append(("Subject", subject)) }
        var attributes: [(name: String, value: String)] = []
        for attribute in settings.attributes {
            attributes.append((filled.text(attribute.name), filled.text(attribute.value)))
        }
        let whole = filled.mainText(settings.message)
        var message = whole
        if case .phone = settings.target {
            message = whole.truncated(toScalars: Limit.phoneMessage)
        } else {
            message = whole.truncated(toBytes: Limit.messageBytes)
        }
        if message != whole { attributes.append(("truncated", "true")) }
        fields.append(("Message", message))
        for (number, attribute) in attributes.enumerated() {
            let name = "MessageAttributes.entry.\(number + 1)"
            fields.append(("\(name).Name", attribute.name))
            fields.append(("\(name).Value.DataType", "String"))
            fields.append(("\(name).Value.StringValue", attribute.value))
        }
        return fields
    }

    /// A subject is one line of ASCII; anything else is refused with all the rest.
    private static func subject(_ text: String) -> String {
        let shown = text.unicodeScalars.map { scalar -> Character in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar.isASCII ? Character(scalar) : "?"
        }
        let line = String(shown).trimmed
        return line.utf8.count > Limit.subject ? line.prefix(Limit.subject - 3) + "..." : line
    }
}

extension SNSSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "an sns config"

        /// Whom it is for: a template.
        enum Target: Equatable, Sendable {
            case topic(String), phone(String), endpoint(String)

            var template: String {
                switch self {
                case .topic(let text), .phone(let text), .endpoint(let text): text
                }
            }

            var parameter: String {
                switch self {
                case .topic: "TopicArn"
                case .phone: "PhoneNumber"
                case .endpoint: "TargetArn"
                }
            }
        }

        package var service: ServiceSettings
        var access: AWSAccess
        var target: Target
        /// These are templates; an empty URL is the service's own.
        var url: String, subject: String, message: String
        /// Names and values are templates. In order of their names.
        var attributes: [Label]

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            url = reader.template("api_url")
            access = reader.value("sigv4", .nested(AWSAccess.init), default: AWSAccess())
            subject = reader.template("subject", calling: "sns.default.subject")
            message = reader.template("message", calling: "sns.default.message")
            attributes = reader.value("attributes", .templateList, default: []).sorted()
            // Which of two clients Amazon's library uses; there is one here.
            _ = reader.bool("use_aws_http_client", default: false)
            let targets: [(key: String, make: (String) -> Target)] = [
                ("topic_arn", Target.topic), ("phone_number", Target.phone), ("target_arn", Target.endpoint),
            ]
            let named = targets.compactMap { target -> Target? in
                let text = reader.template(target.key)
                return text.isEmpty ? nil : target.make(text)
            }
            guard named.count == 1 else {
                reader.report(
                    .invalid("an sns config needs one of \"topic_arn\", \"phone_number\" and \"target_arn\""),
                    at: named.isEmpty ? "topic_arn" : "target_arn")
                return nil
            }
            target = named[0]
        }
    }
}
