/// One mailbox: where mail goes, and the name beside it (RFC 5322, section 3.4).
package struct MailAddress: Sendable, Hashable {
    package var displayName: String
    /// `local@domain`, as it stands between the angle brackets of an envelope.
    package var address: String

    package init(displayName: String = "", address: String) {
        self.displayName = displayName
        self.address = address
    }

    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package var reason: String
        package var description: String { reason }
    }

    package var isASCII: Bool { address.utf8.allSatisfy { $0 < 0x80 } }

    package static let listMax = 1000
    private static let textBytesMax = 1 << 16

    /// `a@b, Name <c@d>, "Name, with comma" <e@f> (comment)`; line breaks count as blanks, empty items as nothing.
    package static func list(_ text: String) throws(Malformed) -> [MailAddress] {
        guard text.utf8.count <= textBytesMax else { throw Malformed(reason: "the list of addresses is too long") }
        var scanner = AddressScanner(text)
        var addresses: [MailAddress] = []
        while !scanner.isAtEnd {
            if let address = try scanner.address() { addresses.append(address) }
            guard addresses.count <= listMax else { throw Malformed(reason: "more than \(listMax) addresses") }
        }
        return addresses
    }

    /// Whether it can be an address, so that it can stand in a command: no blanks, no brackets, one name and one domain.
    static func problem(_ address: String) -> String? {
        guard address.utf8.count <= 320 else { return "is too long" }
        guard let at = address.lastIndex(of: "@") else { return "has no @" }
        let local = address[..<at]
        let domain = address[address.index(after: at)...]
        guard !local.isEmpty, !domain.isEmpty else { return "has nothing on one side of the @" }
        return localProblem(local) ?? domainProblem(domain)
    }

    private static func localProblem(_ local: Substring) -> String? {
        if local.first == "\"" {
            guard local.count >= 2, local.last == "\"" else { return "has a quote that does not end" }
            let inner = local.dropFirst().dropLast().unicodeScalars
            return inner.contains { $0.value < 0x20 || $0.value == 0x7f || "<>\"\\".unicodeScalars.contains($0) }
                ? "has a character that no address has" : nil
        }
        let forbidden = Set("()<>[]:;@\\,\"".unicodeScalars)
        return local.unicodeScalars.contains { $0.value <= 0x20 || $0.value == 0x7f || forbidden.contains($0) }
            ? "has a character that no address has" : nil
    }

    private static func domainProblem(_ domain: Substring) -> String? {
        let name = domain.first == "[" && domain.last == "]" ? domain.dropFirst().dropLast() : domain
        let isGood = name.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_": true
            case ":": name.count != domain.count
            default: scalar.value >= 0xa1
            }
        }
        return isGood && !name.isEmpty ? nil : "has a domain that is none"
    }
}

/// Reads one address after the other.
private struct AddressScanner {
    private let scalars: [Unicode.Scalar]
    private var index = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    var isAtEnd: Bool { index == scalars.count }

    private mutating func next() -> Unicode.Scalar? {
        guard index < scalars.count else { return nil }
        defer { index += 1 }
        return scalars[index]
    }

    /// Up to and with the next comma; nil where nothing stands.
    mutating func address() throws(MailAddress.Malformed) -> MailAddress? {
        var words: [(raw: String, plain: String)] = []
        var word = (raw: "", plain: "")
        var angle: String?
        func end(_ words: inout [(raw: String, plain: String)], _ word: inout (raw: String, plain: String)) {
            if !word.raw.isEmpty { words.append(word) }
            word = ("", "")
        }
        scan: while let scalar = next() {
            if angle != nil, scalar != ",", scalar != "(", !Self.isBlank(scalar) {
                throw MailAddress.Malformed(reason: "there is text between \">\" and the next comma")
            }
            switch scalar {
            case ",": break scan
            case "\"":
                let quoted = try quotedText()
                word.raw += "\"\(quoted)\""
                word.plain += quoted
            case "(": try skipComment()
            case "<":
                end(&words, &word)
                angle = try angleText()
            case _ where Self.isBlank(scalar): end(&words, &word)
            default:
                word.raw.unicodeScalars.append(scalar)
                word.plain.unicodeScalars.append(scalar)
            }
        }
        end(&words, &word)
        if angle == nil, words.isEmpty { return nil }
        guard angle != nil || words.count == 1 else {
            throw MailAddress.Malformed(
                reason: "\"\(Self.shortened(words.map(\.raw).joined(separator: " ")))\" is no address")
        }
        let address = angle ?? words[0].raw
        if let problem = MailAddress.problem(address) {
            throw MailAddress.Malformed(reason: "the address \"\(Self.shortened(address))\" \(problem)")
        }
        return MailAddress(
            displayName: angle == nil ? "" : words.map(\.plain).joined(separator: " "), address: address)
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.value <= 0x20 }

    private static func shortened(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(80).map { $0.value < 0x20 ? " " : $0 }))
    }

    private mutating func quotedText() throws(MailAddress.Malformed) -> String {
        var text = ""
        while let scalar = next() {
            if scalar == "\"" { return text }
            let taken = scalar == "\\" ? next() : scalar
            guard let taken else { break }
            text.unicodeScalars.append(taken)
        }
        throw MailAddress.Malformed(reason: "a quote does not end")
    }

    private mutating func angleText() throws(MailAddress.Malformed) -> String {
        var text = ""
        while let scalar = next() {
            if scalar == ">" { return text }
            if !Self.isBlank(scalar) || text.first == "\"" { text.unicodeScalars.append(scalar) }
        }
        throw MailAddress.Malformed(reason: "a \"<\" has no \">\"")
    }

    private mutating func skipComment() throws(MailAddress.Malformed) {
        var depth = 1
        while let scalar = next() {
            if scalar == "\\" { _ = next() }
            if scalar == "(" { depth += 1 }
            if scalar == ")" { depth -= 1 }
            if depth == 0 { return }
        }
        throw MailAddress.Malformed(reason: "a \"(\" has no \")\"")
    }
}
