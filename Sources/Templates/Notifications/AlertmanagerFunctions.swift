/// What Alertmanager adds to Go's functions in notification templates, and what Tocsin's own mails need beside it.
enum AlertmanagerFunctions {
    static let table: [String: Function] = CommonFunctions.table.merging(own) { _, own in own }

    private static let own: [String: Function] = [
        "title": .text { title($0) },
        "trimSpace": .text { GoText.trimmed($0) },
        "urlUnescape": .text { try GoText.queryUnescaped($0) },
        "safeUrl": Function(.string) { _, arguments in .trusted(.url, arguments[0].text) },
        "join": Function(.string, .strings) { _, arguments in
            .string(arguments[1].elements.map(\.text).joined(separator: arguments[0].text))
        },
        "stringSlice": Function(variadic: .string) { _, arguments in .strings(arguments.map(\.text)) },
        "list": Function(variadic: .any) { _, arguments in .plainList(arguments) },
        "append": Function(.anyList, variadic: .any) { _, arguments in
            .plainList(arguments[0].elements + arguments.dropFirst())
        },
        "dict": Function(variadic: .any) { _, arguments in try dictionary(arguments) },
        "toJson": Function(.any) { executor, arguments in
            .string(try GoJSON.text(arguments[0], limit: executor.limits.outputBytesMax))
        },
        "base64encode": .text { Base64URL.encoded($0) },
        "base64decode": .text { try Base64URL.decoded($0) },
        "routeLabels": Function(.string) { executor, arguments in
            .string(try RouteLabels.expand(arguments[0].text, executor))
        },
        // Time.
        "now": Function { executor, _ in .time(now(executor)) },
        "since": Function(.time) { executor, arguments in
            guard case .time(let time) = arguments[0] else { throw CallFailure("not a time") }
            return .duration(now(executor).since(time))
        },
        "date": Function(.string, .time) { _, arguments in
            guard case .time(let time) = arguments[1] else { throw CallFailure("not a time") }
            return .string(Layout.format(time, arguments[0].text))
        },
        "tz": Function(.string, .time) { _, arguments in
            guard case .time(let time) = arguments[1] else { throw CallFailure("not a time") }
            guard let zone = Zone.load(arguments[0].text) else {
                throw CallFailure("unknown time zone \(arguments[0].text)")
            }
            return .time(time.inZone(zone))
        },
        "toDate": Function(.string, .string) { _, arguments in
            // As Alertmanager's: what is no time is Go's zero time.
            .time((try? Layout.parse(arguments[1].text, arguments[0].text)) ?? .zero)
        },
        "mustToDate": Function(.string, .string) { _, arguments in
            .time(try Layout.parse(arguments[1].text, arguments[0].text))
        },
        // Tocsin's own.
        "lines": Function(.string) { _, arguments in .strings(lines(arguments[0].text)) },
    ]

    /// Time goes on between two readings, if only by a nanosecond.
    private static func now(_ executor: Executor) -> Moment { executor.environment.now.adding(executor.nextReading()) }

    private static func dictionary(_ arguments: [Value]) throws -> Value {
        guard arguments.count.isMultiple(of: 2) else { throw CallFailure("dict requires an even number of arguments") }
        var entries: [String: Value] = [:]
        for index in stride(from: 0, to: arguments.count, by: 2) {
            guard case .string(let key) = arguments[index] else { throw CallFailure("dict keys must be strings") }
            entries[key] = arguments[index + 1]
        }
        return .plainMap(entries)
    }

    /// The lines that are not empty, without a list's dash and without space at their ends.
    private static func lines(_ text: String) -> [String] {
        text.unicodeScalars.split { $0 == "\n" || $0 == "\r" }.compactMap { line in
            var line = GoText.trimmed(String(line))
            for mark in ["- ", "* ", "• "] where line.hasPrefix(mark) {
                line = GoText.trimmed(String(line.dropFirst(2)))
            }
            return line.isEmpty ? nil : line
        }
    }

    /// The first letter of each word in title case, the others in lower case. Apostrophes and points between letters,
    /// and underscores, do not end a word.
    private static func title(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        var isInWord = false
        for (index, scalar) in scalars.enumerated() {
            if scalar.properties.isAlphabetic {
                result.unicodeScalars.append(isInWord ? CommonFunctions.lower(scalar) : CommonFunctions.title(scalar))
                isInWord = true
                continue
            }
            result.unicodeScalars.append(scalar)
            let isJoint = "'’.:·".unicodeScalars.contains(scalar)
            let goesOn = index + 1 < scalars.count && scalars[index + 1].properties.isAlphabetic
            let isPart = scalar == "_" || scalar.properties.numericType != nil || (isJoint && goesOn)
            if !isPart { isInWord = false }
        }
        return result
    }
}

/// Labels of a route may be templates themselves, over the notification, and use one another.
enum RouteLabels {
    private static let depthMax = 16

    static func expand(_ name: String, _ executor: Executor) throws -> String {
        let path = executor.environment.routeLabelPath
        if path.contains(name) {
            throw CallFailure("route label cycle detected: " + (path + [name]).joined(separator: " -> "))
        }
        guard let text = executor.environment.routeLabels[name] else { return "" }
        guard path.count < depthMax else { throw CallFailure("route labels nested more than \(depthMax) deep") }
        guard var templates = executor.environment.templates, Lexer.hasAction(text) else { return text }
        try templates.add(text, name: "")
        var environment = executor.environment
        environment.routeLabelPath.append(name)
        return try executor.runInside(templates, environment: environment)
    }
}

/// Base64 with `-` and `_`, padded (RFC 4648, section 5).
enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func encoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | UInt32(offset < group.count ? group[start + offset] : 0) }
            for place in 0..<4 {
                result.append(
                    place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    static func decoded(_ text: String) throws -> String {
        // Line breaks are passed over, as Go does.
        let bytes = text.utf8.enumerated().filter { $0.element != 0x0A && $0.element != 0x0D }
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let group = bytes[start..<min(start + 4, bytes.count)]
            var digits = group.prefix { $0.element != UInt8(ascii: "=") }
            let isLast = start + 4 >= bytes.count
            let padding = group.dropFirst(digits.count)
            let values = digits.map { alphabet.firstIndex(of: $0.element) }
            if let bad = values.firstIndex(of: nil) { throw illegal(digits[digits.startIndex + bad].offset) }
            guard group.count == 4, digits.count == 4 || (isLast && digits.count >= 2),
                padding.allSatisfy({ $0.element == UInt8(ascii: "=") })
            else { throw illegal(digits.popLast().map { $0.offset + 1 } ?? group.first?.offset ?? 0) }
            var bits: UInt32 = 0
            for place in 0..<4 { bits = bits << 6 | UInt32(place < values.count ? values[place] ?? 0 : 0) }
            for place in 0..<(digits.count - 1) {
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * place)))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func illegal(_ offset: Int) -> CallFailure {
        CallFailure("illegal base64 data at input byte \(offset)")
    }
}
