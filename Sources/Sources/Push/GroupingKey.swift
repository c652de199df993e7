package import Streams
import Transport

/// Which group a push belongs to: the labels in the path of `/metrics/job/<job>{/<label>/<value>}`.
package struct GroupingKey: Hashable, Sendable {
    /// As given, empty values kept: they tell groups apart though they are no labels of a series.
    package let labels: [String: String]

    package struct Malformed: Error, Sendable, Equatable, CustomStringConvertible {
        package let reason: String
        package var description: String { reason }
    }

    package init(labels: [String: String]) { self.labels = labels }

    package static func == (left: Self, right: Self) -> Bool {
        left.labels.count == right.labels.count
            && left.labels.allSatisfy { name, value in right.labels[name]?.hasSameBytes(as: value) ?? false }
    }

    package func hash(into hasher: inout Hasher) {
        // Whatever the order is.
        hasher.combine(labels.mapValues(ByteText.init))
    }

    /// - Parameter path: what follows `/metrics/job`, still percent-encoded: `@base64/YQ/l/v` or `/a/l/v`.
    ///   A name with the suffix `@base64` has a value in URL-safe base64, `=` for the empty value.
    package init(path: Substring) throws(Malformed) {
        var parts = ("job" + path).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // One slash at the end is forgiven.
        if parts.last == "", parts.count % 2 == 1 { parts.removeLast() }
        guard parts.count % 2 == 0 else {
            throw Malformed(reason: "odd number of components in the path: every label needs a value")
        }
        var labels: [String: String] = [:]
        for place in stride(from: 0, to: parts.count, by: 2) {
            var name = try Self.percentDecoded(parts[place])
            var value = try Self.percentDecoded(parts[place + 1])
            if name.hasSuffix("@base64") {
                name.removeLast("@base64".count)
                value = try Self.base64Decoded(value, of: name)
            }
            guard LabelSet.isLegacyLabelName(name), !name.hasPrefix("__") else {
                throw Malformed(reason: "improper label name \(quoted(name))")
            }
            // The job is the one that the path begins with; of other names that repeat the last one counts.
            if name == "job", place > 0 { continue }
            labels[name] = value
        }
        guard labels["job"]?.isEmpty == false else { throw Malformed(reason: "job name is required, but missing") }
        self.labels = labels
    }

    package var job: String { labels["job"] ?? "" }

    /// The labels that the group's series get.
    package var labelSet: LabelSet { LabelSet(labels.map { Label($0.key, $0.value) }) }

    /// The inverse of `init(path:)`: the path of a push to this group, `/metrics/job/a/l/v`, the other labels by name.
    package var path: String {
        let names = ["job"] + labels.keys.filter { $0 != "job" }.sorted()
        return names.reduce(into: "/metrics") { path, name in
            let value = labels[name] ?? ""
            // A slash would end the component, and an empty component be none.
            if value.isEmpty || value.utf8.contains(UInt8(ascii: "/")) {
                let digits = Base64.encode(Array(value.utf8)).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }
                path += "/\(name)@base64/" + (digits.isEmpty ? "=" : String(digits))
            } else {
                path += "/\(name)/\(URLString.encoded(value))"
            }
        }
    }

    private static func percentDecoded(_ text: String) throws(Malformed) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            guard bytes[place] == UInt8(ascii: "%") else {
                result.append(bytes[place])
                place += 1
                continue
            }
            guard place + 2 < bytes.count, let high = hexadecimal(bytes[place + 1]),
                let low = hexadecimal(bytes[place + 2])
            else { throw Malformed(reason: "malformed percent-encoding in the path") }
            result.append(high << 4 | low)
            place += 3
        }
        guard let decoded = String(validating: result, as: UTF8.self) else {
            throw Malformed(reason: "the path is not UTF-8")
        }
        return decoded
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// RFC 4648 section 5, with or without padding.
    private static func base64Decoded(_ text: String, of name: String) throws(Malformed) -> String {
        let malformed = Malformed(reason: "invalid base64 encoding of the value of label \(quoted(name))")
        var bits: UInt32 = 0
        var count = 0
        var result: [UInt8] = []
        var digits = Array(text.utf8)
        while digits.last == UInt8(ascii: "=") { digits.removeLast() }
        guard digits.count % 4 != 1 else { throw malformed }
        for byte in digits {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: throw malformed
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard let decoded = String(validating: result, as: UTF8.self) else {
            throw Malformed(reason: "the value of label \(quoted(name)) is not UTF-8")
        }
        return decoded
    }
}
