internal import Streams

/// What is wrong with a URL, in words that show none of it but its scheme (RFC 3986, as far as a configuration needs it).
enum URLText {
    static func problem(_ text: String, schemes: [String]) -> String? {
        let wanted = schemes.map { $0 + "://" }.joined(separator: " or ")
        guard let mark = text.utf8Range(of: "://") else { return "a URL begins with \(wanted)" }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard schemes.contains(scheme) else {
            let isName = !scheme.isEmpty && scheme.utf8.count <= 10 && LabelSet.isLegacyLabelName(scheme)
            return isName
                ? "unsupported scheme \(quoted(scheme)); a URL begins with \(wanted)" : "a URL begins with \(wanted)"
        }
        if text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "a URL holds no spaces" }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return hostProblem(host)
    }

    private static func hostProblem(_ host: Substring) -> String? {
        var name = host
        var port: Substring?
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else { return "an IPv6 address in a URL ends with \"]\"" }
            name = host[host.index(after: host.startIndex)..<close]
            let after = host[host.index(after: close)...]
            if !after.isEmpty {
                guard after.first == ":" else { return "after \"]\" in a URL comes \":\" and a port" }
                port = after.dropFirst()
            }
        } else if let colon = host.lastIndex(of: ":") {
            name = host[..<colon]
            port = host[host.index(after: colon)...]
            if name.contains(":") { return "an IPv6 address in a URL stands in [brackets]" }
        }
        if name.isEmpty { return "the URL has no host" }
        if let port, !port.isEmpty {
            guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(port), number <= 65535 else {
                return "the URL's port is not between 1 and 65535"
            }
        }
        return nil
    }
}
