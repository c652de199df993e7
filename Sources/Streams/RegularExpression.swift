internal import CRE2

/// An RE2 expression, the peers' own engine: linear time, `.` matches a newline.
///
/// Immutable, so shared freely. `matches` asks for the whole text, as all of Prometheus's and Alertmanager's matchers do.
package final class RegularExpression: Sendable {
    package let pattern: String
    // Sound: RE2 objects are immutable after compilation and documented as thread-safe.
    private nonisolated(unsafe) let compiled: OpaquePointer

    package struct SyntaxError: Error, Sendable, CustomStringConvertible {
        package let pattern: String
        package let reason: String
        package var description: String { "invalid regular expression \(quoted(pattern)): \(reason)" }
    }

    package init(_ pattern: String) throws(SyntaxError) {
        self.pattern = pattern
        var text = Self.withPythonGroupNames(pattern)
        compiled = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { tc_re2_compile($0, characters.count) } ?? tc_re2_compile("", 0)
            }
        }
        if let message = tc_re2_error(compiled) {
            throw SyntaxError(pattern: pattern, reason: String(cString: message))
        }
    }

    deinit { tc_re2_free(compiled) }

    /// Spells `(?<name>` as `(?P<name>`: Go takes both, older RE2 only the second.
    private static func withPythonGroupNames(_ pattern: String) -> String {
        let bytes = Array(pattern.utf8)
        guard pattern.utf8.count > 3, pattern.contains("(?<") else { return pattern }
        var result: [UInt8] = []
        var inClass = false
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            result.append(byte)
            index += 1
            switch byte {
            case UInt8(ascii: "\\"):
                if index < bytes.count {
                    result.append(bytes[index])
                    index += 1
                }
            case UInt8(ascii: "["): inClass = true
            case UInt8(ascii: "]"): inClass = false
            case UInt8(ascii: "(") where !inClass:
                if bytes[index...].starts(with: [UInt8(ascii: "?"), UInt8(ascii: "<")]) {
                    result += [UInt8(ascii: "?"), UInt8(ascii: "P"), UInt8(ascii: "<")]
                    index += 2
                }
            default: break
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    package var groupCount: Int { Int(tc_re2_group_count(compiled)) }

    package func groupIndex(named name: String) -> Int? {
        let index = tc_re2_group_index(compiled, name, name.utf8.count)
        return index < 0 ? nil : Int(index)
    }

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { tc_re2_full_match(compiled, $0.baseAddress, $0.count) }
        }
    }

    /// The byte ranges of the groups (0 is the whole match; nil for one that took no part) of the whole text.
    package func wholeMatch(_ text: String) -> [Range<Int>?]? { match(text, from: 0, anchored: true) }

    /// The leftmost match at or after the byte `start`, not anchored.
    package func firstMatch(in text: String, from start: Int = 0) -> [Range<Int>?]? {
        match(text, from: start, anchored: false)
    }

    private func match(_ text: String, from start: Int, anchored: Bool) -> [Range<Int>?]? {
        let count = groupCount + 1
        var bounds = [Int](repeating: -1, count: 2 * count)
        var text = text
        let found = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                tc_re2_match(compiled, $0.baseAddress, $0.count, start, anchored, &bounds, Int32(count))
            }
        }
        guard found else { return nil }
        return (0..<count).map { bounds[2 * $0] < 0 ? nil : bounds[2 * $0]..<bounds[2 * $0 + 1] }
    }

    /// Go's `Expand`: `$1`, `${1}`, `$name`, `${name}`, `$$`; unknown groups are empty.
    package func expand(_ template: String, match groups: [Range<Int>?], of text: String) -> String {
        let source = Array(text.utf8)
        let bytes = Array(template.utf8)
        var result: [UInt8] = []
        var index = 0
        func isWord(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "_") || (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A)
                || (byte >= 0x61 && byte <= 0x7A)
        }
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "$") {
                result.append(UInt8(ascii: "$"))
                index += 2
                continue
            }
            let braced = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "{")
            let start = index + (braced ? 2 : 1)
            var end = start
            while end < bytes.count, isWord(bytes[end]) { end += 1 }
            guard end > start, !braced || (end < bytes.count && bytes[end] == UInt8(ascii: "}")) else {
                result.append(UInt8(ascii: "$"))
                index += 1
                continue
            }
            let name = String(decoding: bytes[start..<end], as: UTF8.self)
            // A number with a leading zero is a name to Go.
            let isNumber = name == "0" || !name.hasPrefix("0")
            let group = (isNumber ? Int(name) : nil) ?? groupIndex(named: name) ?? -1
            if groups.indices.contains(group), let range = groups[group] { result += source[range] }
            index = braced ? end + 1 : end
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Replaces every match by the expanded template, as Go's `ReplaceAllString` does: an empty match right after
    /// another match does not count.
    package func replacingAll(in text: String, with template: String) -> String {
        let source = Array(text.utf8)
        var result: [UInt8] = []
        var copied = 0
        var position = 0
        while position <= source.count, let groups = firstMatch(in: text, from: position), let whole = groups[0] {
            result += source[copied..<whole.lowerBound]
            if whole.upperBound > copied || whole.lowerBound == 0 {
                result += Array(expand(template, match: groups, of: text).utf8)
            }
            copied = whole.upperBound
            position = max(nextScalar(in: source, after: position), whole.upperBound)
        }
        if copied < source.count { result += source[copied...] }
        return String(decoding: result, as: UTF8.self)
    }

    private func nextScalar(in bytes: [UInt8], after index: Int) -> Int {
        var next = index + 1
        while next < bytes.count, bytes[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }
}

extension RegularExpression: Hashable {
    package static func == (left: RegularExpression, right: RegularExpression) -> Bool {
        left.pattern.hasSameBytes(as: right.pattern)
    }
    package func hash(into hasher: inout Hasher) { pattern.hashBytes(into: &hasher) }
}
