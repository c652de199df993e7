internal import Glibc

/// Functions that rule templates and notification templates share.
enum CommonFunctions {
    static let table: [String: Function] = [
        "toUpper": .text { upper($0) },
        "toLower": .text { lower($0) },
        "safeHtml": Function(.string) { _, arguments in .trusted(.html, arguments[0].text) },
        "match": Function(.string, .string) { executor, arguments in
            .bool(try executor.pattern(arguments[0].text).matches(arguments[1].text))
        },
        "reReplaceAll": Function(.string, .string, .string) { executor, arguments in
            let pattern = arguments[0].text
            let expression: RegularExpressionBox
            do {
                expression = try executor.pattern(pattern)
            } catch let problem as CallFailure {
                throw CallFailure("regexp: Compile(`\(pattern)`): \(problem.message)")
            }
            return .string(
                try expression.replacingAll(
                    in: arguments[2].text, with: arguments[1].text, limit: executor.limits.outputBytesMax))
        },
        "humanizeDuration": Function(.any) { _, arguments in .string(GoDuration.humanized(try number(arguments[0]))) },
    ]

    /// A number, or a text that is one.
    static func number(_ value: Value) throws -> Double {
        switch value {
        case .int(let number): return Double(number)
        case .double(let number): return number
        case .duration(let nanoseconds):
            return Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9
        case .string(let text):
            guard let number = FloatText.parse(text) else {
                throw CallFailure("strconv.ParseFloat: parsing \(GoText.quote(text)): invalid syntax")
            }
            return number
        default: throw CallFailure("can't convert \(value.typeName) to float")
        }
    }

    // MARK: Letters, one by one as Go changes them

    static func upper(_ text: String) -> String { mapped(text) { upper($0) } }
    static func lower(_ text: String) -> String { mapped(text) { lower($0) } }

    static func upper(_ scalar: Unicode.Scalar) -> Unicode.Scalar { single(scalar.properties.uppercaseMapping, scalar) }
    static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar { single(scalar.properties.lowercaseMapping, scalar) }

    static func title(_ scalar: Unicode.Scalar) -> Unicode.Scalar { single(scalar.properties.titlecaseMapping, scalar) }

    private static func mapped(_ text: String, _ change: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        var result = ""
        for scalar in text.unicodeScalars { result.unicodeScalars.append(change(scalar)) }
        return result
    }

    private static func single(_ mapping: String, _ scalar: Unicode.Scalar) -> Unicode.Scalar {
        mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first ?? scalar : scalar
    }

    /// `strings.Title`: the first letter of each word; the others stay.
    static func titleKeepingRest(_ text: String) -> String {
        var result = ""
        var isInWord = false
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(isInWord ? scalar : title(scalar))
            isInWord = isWordPart(scalar)
        }
        return result
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "_" { return true }
        if scalar.isASCII { return scalar.properties.isAlphabetic || scalar.properties.numericType != nil }
        return !scalar.properties.isWhitespace
    }

    // MARK: Hosts

    /// The host and port of `host:port` or `[address]:port`; nil where there is no port.
    static func splitHostPort(_ text: String) -> (host: String, port: String)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let port = String(text[text.index(after: colon)...])
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.contains("["), !host.contains("]") else { return nil }
        return (String(host), port)
    }

    static func isAddress(_ text: String) -> Bool {
        var buffer = (UInt64(0), UInt64(0))
        return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
    }
}
