/// What is put behind an action's pipeline to make its text safe where it stands. The names can't be written in a
/// template.
enum HTMLFilters {
    enum Name: String {
        case attribute, comment, css, cssValue, name, text, jsRegexp, jsString, jsTemplate, jsValue, unquoted, rawText
        case srcset, url, urlFilter, urlNormalizer
        /// Only joins arguments.
        case join

        var functionName: String { "html.\(rawValue)" }
    }

    /// Stands in place of what can't be shown safely.
    static let failsafe = "ZgotmplZ"

    private typealias Filter = @Sendable (String, TrustedContent?) -> String

    static let table: [String: Function] = {
        let filters: [Name: Filter] = [
            .attribute: { $1 == .html ? escaped(StrippedTags.text($0), normal) : escaped($0, full) },
            .comment: { _, _ in "" },
            .css: { text, _ in cssString(text) },
            .cssValue: { text, _ in cssValue(text) },
            .name: { text, _ in name(text) },
            .text: { $1 == .html ? $0 : escaped($0, full) },
            .jsRegexp: { text, _ in jsRegexp(text) },
            .jsString: { text, _ in escaped(text, jsString) },
            .jsTemplate: { text, _ in escaped(text, jsTemplate) },
            .unquoted: {
                $1 == .html ? unquoted(StrippedTags.text($0), ampersand: false) : unquoted($0, ampersand: true)
            },
            .rawText: { escaped($0, $1 == .html ? normal : full) },
            .srcset: { srcset($0, isTrustedURL: $1 == .url) },
            .url: { URLText.processed($0, normalizing: $1 == .url) },
            .urlFilter: { $1 == .url || URLText.isSafe($0) ? $0 : "#" + failsafe },
            .urlNormalizer: { text, _ in URLText.processed(text, normalizing: true) },
        ]
        var table: [String: Function] = [:]
        for (name, filter) in filters {
            table[name.functionName] = Function(variadic: .any) { executor, arguments in
                let (text, content) = try shown(arguments, executor)
                return .string(filter(text, content))
            }
        }
        table[Name.jsValue.functionName] = Function(variadic: .any) { executor, arguments in
            .string(try jsValue(arguments, executor))
        }
        table[Name.join.functionName] = Function(variadic: .any) { executor, arguments in
            .string(try Formatter.print(arguments, limit: executor.limits.outputBytesMax))
        }
        return table
    }()

    private static func shown(_ arguments: [Value], _ executor: Executor) throws -> (String, TrustedContent?) {
        if arguments.count == 1 {
            if case .string(let text) = arguments[0] { return (text, nil) }
            if case .trusted(let content, let text) = arguments[0] { return (text, content) }
        }
        let present = arguments.filter { !$0.isNil }
        return (try Formatter.print(present, limit: executor.limits.outputBytesMax), nil)
    }

    private static func escaped(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        TextEscaping.replace(text, replacement)
    }

    // MARK: HTML

    private static func full(_ scalar: Unicode.Scalar) -> String? { scalar == "&" ? "&amp;" : normal(scalar) }

    private static func normal(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\0": "\u{FFFD}"
        case "\"": "&#34;"
        case "'": "&#39;"
        case "+": "&#43;"
        case "<": "&lt;"
        case ">": "&gt;"
        default: nil
        }
    }

    private static func unquoted(_ text: String, ampersand: Bool) -> String {
        if text.isEmpty { return failsafe }
        return escaped(text) { scalar in
            switch scalar {
            case "\0": "&#xfffd;"
            case "&": ampersand ? "&amp;" : nil
            case "\t", "\n", "\u{0B}", "\u{0C}", "\r", " ", "=", "`": "&#\(scalar.value);"
            case _ where (0xFDD0...0xFDEF).contains(scalar.value) || (0xFFF0...0xFFFF).contains(scalar.value):
                "&#x\(String(scalar.value, radix: 16));"
            default: normal(scalar)
            }
        }
    }

    private static func name(_ text: String) -> String {
        let lower = text.lowercased()
        guard !lower.isEmpty, EscapeContext.Attribute.kind(of: lower) == .plain,
            lower.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) })
        else { return failsafe }
        return lower
    }

    // MARK: CSS

    private static func cssString(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\\": result += "\\\\"
            case "\0", "\t", "\n", "\u{0C}", "\r", "\"", "&", "'", "(", ")", "+", "/", ":", ";", "<", ">", "{", "}":
                result += "\\" + String(scalar.value, radix: 16)
                // A digit or space behind it would be taken for a part of the escape.
                if index + 1 == scalars.count || isPartOfEscape(scalars[index + 1]) { result += " " }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isPartOfEscape(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (Constant.isHexDigit(UInt8(ascii: scalar)) || "\t\n\u{0C}\r ".unicodeScalars.contains(scalar))
    }

    private static func cssValue(_ text: String) -> String {
        let bytes = CSSText.decoded(Array(text.utf8)[...])
        var letters: [UInt8] = []
        var previous: UInt8 = 0
        for byte in bytes {
            if "\0\"'()/;@[\\]`{}<>".utf8.contains(byte) { return failsafe }
            if byte == UInt8(ascii: "-") {
                if previous == byte { return failsafe }
            } else if byte < 0x80, CSSText.isNameByte(byte) {
                letters.append(byte)
            }
            previous = byte
        }
        let word = String(decoding: letters, as: UTF8.self).lowercased()
        let isUnsafe = ["expression", "mozbinding"].contains {
            Array(word.utf8)[...].firstIndex(of: $0, from: 0) != nil
        }
        return isUnsafe ? failsafe : String(decoding: bytes, as: UTF8.self)
    }

    // MARK: JavaScript

    private static func jsString(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\t": "\\t"
        case "\n": "\\n"
        case "\u{0C}": "\\f"
        case "\r": "\\r"
        case "/": "\\/"
        case "\\": "\\\\"
        case "\0", "\u{0B}", "\"", "`", "&", "'", "+", "<", ">", "\u{2028}", "\u{2029}":
            "\\u" + GoText.hexadecimal(scalar.value, width: 4)
        default: nil
        }
    }

    private static func jsTemplate(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "$", "{", "}": "\\u" + GoText.hexadecimal(scalar.value, width: 4)
        default: jsString(scalar)
        }
    }

    private static func jsRegexp(_ text: String) -> String {
        if text.isEmpty { return "(?:)" }
        return escaped(text) { scalar in
            switch scalar {
            case "$", "(", ")", "*", "-", ".", "?", "[", "]", "^", "{", "|", "}": "\\\(scalar)"
            default: jsString(scalar)
            }
        }
    }

    /// A JavaScript expression: JSON, kept apart from the words beside it.
    private static func jsValue(_ arguments: [Value], _ executor: Executor) throws -> String {
        let limit = executor.limits.outputBytesMax
        var value = Value.string("")
        if arguments.count == 1 {
            value = arguments[0]
            // Times have a form of their own in JSON; what else can say itself, does.
            if case .time = value {} else if let text = value.ownText { value = .string(text) }
        } else {
            value = .string(try Formatter.print(arguments, limit: limit))
        }
        let json: String
        do {
            json = try GoJSON.text(value, limit: limit)
        } catch let problem as CallFailure {
            return " /* \(problem.message.replacingOccurrences(of: "*/", with: "* /")) */null "
        }
        guard let first = json.utf8.first, let last = json.utf8.last else { return " null " }
        let needsSpace = EscapeContext.isIdentifierPart(first) || EscapeContext.isIdentifierPart(last)
        return needsSpace ? " \(json) " : json
    }

    // MARK: Image sets

    private static func srcset(_ text: String, isTrustedURL: Bool) -> String {
        if isTrustedURL {
            return URLText.processed(text, normalizing: true).replacingOccurrences(of: ",", with: "%2c")
        }
        return text.split(separator: ",", omittingEmptySubsequences: false).map { image(String($0)) }
            .joined(separator: ",")
    }

    /// A URL, then perhaps a width or density.
    private static func image(_ text: String) -> String {
        let bytes = Array(text.utf8)[...]
        let start = bytes.skippingSpace
        let end = bytes[start...].firstIndex { " \t\n\u{0C}\r".utf8.contains($0) } ?? bytes.endIndex
        let url = String(decoding: bytes[start..<end], as: UTF8.self)
        let isPlain = bytes[end...].allSatisfy {
            " \t\n\u{0C}\r".utf8.contains($0) || (0x30...0x39).contains($0)
                || ($0 < 0x80 && (0x41...0x5A).contains($0 & 0xDF))
        }
        guard URLText.isSafe(url), isPlain else { return "#" + failsafe }
        return String(decoding: bytes[..<start], as: UTF8.self) + URLText.processed(url, normalizing: true)
            + String(decoding: bytes[end...], as: UTF8.self)
    }
}
