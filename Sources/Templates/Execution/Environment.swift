internal import Streams

/// What functions know of the world outside of the template.
struct Environment: Sendable {
    var now = Moment.zero
    var externalURL = ""
    /// The path of the external URL, without a slash at the end.
    var pathPrefix = ""
    /// Answers to the queries that have been made so far.
    var queries: [String: QueryAnswer] = [:]
    /// Route labels may be templates themselves.
    var routeLabels: [String: String] = [:]
    /// The route labels that are being expanded, innermost last.
    var routeLabelPath: [String] = []
    /// The notification, on which route labels are expanded, and the templates that these may use.
    var data = Value.absent
    var templates: TemplateSet?
}

/// A compiled regular expression, with errors as functions report them.
struct RegularExpressionBox {
    let expression: RegularExpression

    init(_ pattern: String) throws {
        do {
            // The house's expressions let `.` match a newline; Go's do not.
            expression = try RegularExpression("(?-s)" + pattern)
        } catch {
            throw CallFailure("error parsing regexp: \(error.reason): `\(pattern)`")
        }
    }

    /// Whether it matches anywhere.
    func matches(_ text: String) -> Bool { expression.firstMatch(in: text) != nil }

    /// Go's `ReplaceAllString`, into a text of at most `limit` bytes.
    func replacingAll(in text: String, with template: String, limit: Int) throws -> String {
        let source = Array(text.utf8)
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position <= source.count, let groups = expression.firstMatch(in: text, from: position),
            let whole = groups[0]
        {
            result += source[copied..<whole.lowerBound]
            // An empty match right behind another match does not count.
            if whole.upperBound > copied || whole.lowerBound == 0 {
                append(template, groups, source, to: &result)
            }
            guard result.count <= limit else { throw Formatter.TooLong() }
            copied = whole.upperBound
            var next = position + 1
            while next < source.count, source[next] & 0xC0 == 0x80 { next += 1 }
            position = max(next, whole.upperBound)
            if whole.isEmpty, whole.lowerBound >= position {
                position = whole.lowerBound + 1
                while position < source.count, source[position] & 0xC0 == 0x80 { position += 1 }
            }
        }
        if copied < source.count { result += source[copied...] }
        return String(decoding: result, as: UTF8.self)
    }

    /// `$1`, `${name}` and `$$` in the template.
    private func append(_ template: String, _ groups: [Range<Int>?], _ source: [UInt8], to result: inout [UInt8]) {
        let bytes = Array(template.utf8)
        let dollar = UInt8(ascii: "$")
        var index = 0
        while index < bytes.count {
            guard bytes[index] == dollar else {
                result.append(bytes[index])
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == dollar {
                result.append(dollar)
                index += 2
                continue
            }
            let isBraced = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "{")
            let start = index + (isBraced ? 2 : 1)
            let end = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
            guard end > start, !isBraced || (end < bytes.count && bytes[end] == UInt8(ascii: "}")) else {
                result.append(dollar)
                index += 1
                continue
            }
            let name = String(decoding: bytes[start..<end], as: UTF8.self)
            let group = Int(name) ?? expression.groupIndex(named: name) ?? -1
            if groups.indices.contains(group), let range = groups[group] { result += source[range] }
            index = isBraced ? end + 1 : end
        }
    }

    private func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
    }
}
