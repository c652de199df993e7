import Streams
import YAML

extension Format where Value == Secret {
    /// A proxy's URL, with the password that it may hold: never shown. A bare host is taken as libcurl takes it.
    static var proxyURL: Format<Secret> {
        Format { node, diagnostics in
            guard let text = node.text, !text.isEmpty else {
                diagnostics.report(.expected("the URL of a proxy", found: "something else"), at: node)
                return nil
            }
            let schemes = ["http", "https", "socks5", "socks5h"]
            if text.contains("://"), !schemes.contains(where: { text.hasPrefix($0 + "://") }) {
                diagnostics.report(.invalid("a proxy's URL begins with http://, https:// or socks5://"), at: node)
                return nil
            }
            if text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
                diagnostics.report(.invalid("a proxy's URL holds no spaces"), at: node)
                return nil
            }
            return Secret(text)
        }
    }
}
