package import Streams

extension Format where Value == String {
    /// Text; a number or a boolean is taken as it is written.
    package static var text: Format { .scalar("text") { $0.text } }

    package static var nonEmptyText: Format { Format.text.checked { $0.isEmpty ? "must not be empty" : nil } }

    package static func text(oneOf choices: [String]) -> Format {
        .scalar(choices.map(quoted).joined(separator: " or ")) { choices.contains($0.text) ? $0.text : nil }
    }

    /// A path; one that is relative is relative to the folder of the file that it stands in.
    package static var path: Format<String> {
        Format { node, diagnostics in
            nonEmptyText.decode(node, diagnostics).map { node.source.resolve($0) }
        }
    }

    /// An absolute URL with a host. It may hold a password, so errors never show it.
    package static func url(schemes: [String] = ["http", "https"]) -> Format {
        Format { node, diagnostics in
            guard let text = node.text else {
                diagnostics.report(.expected("a URL", found: node.summary), at: node)
                return nil
            }
            if let problem = URLText.problem(text, schemes: schemes) {
                diagnostics.report(.invalid(problem), at: node)
                return nil
            }
            return text
        }
    }
}

extension Format where Value == Secret {
    /// A password, token or key. Errors never show it.
    package static var secret: Format<Secret> {
        Format { node, diagnostics in
            if let text = node.text { return Secret(text) }
            diagnostics.report(.expected("text", found: node.scalar == nil ? node.summary : "nothing"), at: node)
            return nil
        }
    }

    /// A URL that is a secret as a whole, such as a chat's webhook.
    package static func secretURL(schemes: [String] = ["http", "https"]) -> Format {
        Format<String>.url(schemes: schemes).map(Secret.init)
    }
}

extension Format where Value == Bool {
    /// YAML 1.1's booleans, as Go's yaml packages take them for a boolean key: `true`, `yes`, `on`, `y` and their opposites.
    package static var bool: Format {
        .scalar("true or false") { scalar in
            guard scalar.isPlainValue else { return nil }
            switch scalar.text {
            case "true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": return true
            case "false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF": return false
            default: return nil
            }
        }
    }
}

extension Format where Value == Int {
    /// A whole number: decimal, `0x`, `0o`, `0b`, or octal with a leading zero; `_` between digits.
    package static func integer(in range: ClosedRange<Int> = .min ... .max) -> Format {
        Format.scalar("a whole number") { $0.isPlainValue ? Number.integer($0.text) : nil }
            .checked { range.contains($0) ? nil : "\($0) is not \(described(range))" }
    }
}

extension Format where Value == Double {
    /// Any number, infinities and NaN among them.
    package static var number: Format { .scalar("a number") { $0.isPlainValue ? Number.double($0.text) : nil } }

    package static func double(in range: ClosedRange<Double> = -.infinity ... .infinity) -> Format {
        number.checked { range.contains($0) ? nil : "\($0) is not \(described(range))" }
    }
}

extension Format where Value == Duration {
    /// Prometheus's durations: `30s`, `1h30m`, `0`.
    package static func duration(in range: ClosedRange<Duration> = .zero ... .seconds(9_223_372_036)) -> Format {
        Format { node, diagnostics in
            guard let text = node.text else {
                diagnostics.report(.expected("a duration such as 30s", found: node.summary), at: node)
                return nil
            }
            do throws(Duration.TextError) {
                let value = try Duration.parse(prometheus: text)
                if range.contains(value) { return value }
                let least = range.lowerBound.prometheusText
                diagnostics.report(
                    .invalid(
                        value < range.lowerBound
                            ? "\(node.summary) is too short; at least \(least)"
                            : "\(node.summary) is too long; at most \(range.upperBound.prometheusText)"), at: node)
            } catch {
                let shown = Duration.TextError(text: node.shownText, isTooLong: error.isTooLong)
                diagnostics.report(.invalid(shown.description), at: node)
            }
            return nil
        }
    }

    /// Longer than nothing.
    package static var positiveDuration: Format { duration(in: .milliseconds(1) ... .seconds(9_223_372_036)) }
}

/// A size in bytes; its own type so that a size is not taken for a count.
package struct ByteSize: Hashable, Sendable, Comparable {
    package let bytes: Int
    package init(bytes: Int) { self.bytes = bytes }
    /// From text such as `10MB`; see `Format.size`.
    package init?(_ text: String) {
        guard let bytes = Number.bytes(text) else { return nil }
        self.bytes = bytes
    }
    package static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }
}

extension Format where Value == ByteSize {
    /// Prometheus's sizes: `10MB`, `1GiB`, `512KB`, `0`; units are powers of 1024 with and without the `i`.
    package static func size(in range: ClosedRange<Int> = 0 ... .max) -> Format {
        Format.scalar("a size such as 10MB") { Number.bytes($0.text).map(ByteSize.init(bytes:)) }
            .checked { range.contains($0.bytes) ? nil : "\($0.bytes) bytes is not \(described(range))" }
    }
}

extension Format where Value == RegularExpression {
    /// An RE2 expression.
    package static var regex: Format<RegularExpression> {
        Format { node, diagnostics in
            guard let text = node.text else {
                diagnostics.report(.expected("a regular expression", found: node.summary), at: node)
                return nil
            }
            do throws(RegularExpression.SyntaxError) {
                return try RegularExpression(text)
            } catch {
                diagnostics.report(
                    .invalid("invalid regular expression \(node.summary): \(error.reason)"), at: node)
                return nil
            }
        }
    }
}

extension Format where Value == LabelSet {
    /// Names to values. Any UTF-8 is a name, as in Prometheus 3; a null value is empty, and an empty one is no label.
    package static var labels: Format<LabelSet> { Format<[Label]>.labelList.map { LabelSet($0) } }
}

extension Format where Value == [Label] {
    /// Names to values in the order of the file, empty values kept.
    package static var labelList: Format<[Label]> {
        Format<[(key: Node, value: String)]>.mapping(of: .labelValue).map { entries in
            entries.map { Label($0.key.scalar?.text ?? "", $0.value) }
        }
        .checkedNames
    }

    private var checkedNames: Format {
        Format { node, diagnostics in
            guard let labels = decode(node, diagnostics) else { return nil }
            for entry in node.entries ?? [] where entry.key.scalar?.text.isEmpty == true {
                diagnostics.report(.invalid("the name must not be empty"), at: entry.key)
            }
            return labels
        }
    }
}

extension Format where Value == String {
    /// Text, or nothing for the empty text, as in a mapping of labels.
    package static var labelValue: Format {
        Format { node, diagnostics in node.isNull ? "" : Format.text.decode(node, diagnostics) }
    }
}

extension Node {
    /// The text of a scalar as the file has it: never a value of the environment.
    var shownText: String { scalar.map { $0.written ?? $0.text } ?? "" }
}

extension Node.Scalar {
    /// A number or boolean can be in it: not quoted, unless it came from the environment, where quotes are habit.
    var isPlainValue: Bool { (style == .plain && tag != "str") || isFromEnvironment }
}

private func described(_ range: ClosedRange<Int>) -> String {
    if range.upperBound == .max { return "at least \(range.lowerBound)" }
    if range.lowerBound == .min { return "at most \(range.upperBound)" }
    return "between \(range.lowerBound) and \(range.upperBound)"
}

private func described(_ range: ClosedRange<Double>) -> String {
    if range.upperBound == .infinity { return "at least \(range.lowerBound)" }
    if range.lowerBound == -.infinity { return "at most \(range.upperBound)" }
    return "between \(range.lowerBound) and \(range.upperBound)"
}
