import Streams
import Transport
import YAML

/// A URL whose knowledge is a permission, such as a chat's webhook: in the configuration, maybe with a template in it, or
/// in a file that is read at each use.
package struct SecretURL: Sendable, Equatable {
    private let text: SecretText

    init(_ text: SecretText) { self.text = text }

    /// Nil where neither key is set to more than nothing. A URL that stands in the file is checked; one with a template in
    /// it can't be.
    init?(_ reader: MappingReader, _ key: String, _ fileKey: String) {
        guard let text = reader.secret(key, orFile: fileKey) else { return nil }
        if case .text(let secret) = text, !secret.reveal().contains("{{") {
            _ = reader.optional(key, .url())
        }
        reader.checkSecretTemplate(text, key, "the URL's template is malformed")
        self.text = text
    }

    /// - Throws: `.refused`, without a word of the URL itself.
    func read(_ context: SinkContext, _ notification: Notification) throws(DeliveryError) -> URLString {
        do throws(TransportError) {
            var url = try text.read().reveal()
            if url.contains("{{") { url = try rendered(url, context, notification).get() }
            return try URLString(url)
        } catch {
            throw .refused(reason: error.description)
        }
    }

    private func rendered(
        _ template: String, _ context: SinkContext, _ notification: Notification
    ) -> Result<String, TransportError> {
        do throws(DeliveryError) {
            return .success(try context.text(template, notification))
        } catch {
            return .failure(.invalidRequest(reason: "the URL's template can't be rendered"))
        }
    }
}

extension MappingReader {
    /// `timeout` of a delivery; 0 and absence mean ten seconds.
    func deliveryTimeout() -> Duration {
        let timeout = value("timeout", .duration(), default: .zero)
        return timeout == .zero ? .seconds(10) : timeout
    }

    /// A text with templates in it, by Alertmanager's default where it is absent.
    func template(_ key: String, _ fallback: String = "") -> String { value(key, .template, default: fallback) }

    /// Checks the syntax of a secret that is a template; the problem shows nothing of it.
    func checkSecretTemplate(_ text: SecretText?, _ key: String, _ problem: String) {
        guard case .text(let secret) = text, TemplateSyntax.failure(secret.reveal()) != nil else { return }
        report(.invalid(problem), at: key)
    }
}
