internal import Streams

/// Named values that `${NAME}` stands for: the process's environment, overlaid by `--env-file`.
package struct Environment: Sendable {
    private let values: [String: String]

    package init(_ values: [String: String]) { self.values = values }

    package subscript(name: String) -> String? { values[name] }

    package func merging(_ other: [String: String]) -> Environment {
        Environment(values.merging(other) { $1 })
    }
}

/// Replaces `${NAME}` and `${NAME:-default}` in one scalar's text; `$$` is a dollar. The default is taken when the variable
/// is unset or empty, as a shell does.
///
/// All else stays as it is: `$labels`, `$1`, and `${1}`, which a relabelling's replacement uses and which is no variable's
/// name. Happens after parsing, so a value never adds structure.
struct Interpolation {
    struct Failure: Error, Equatable {
        /// Where in the text, in bytes.
        var offset: Int
        var problem: ConfigError.Problem
    }

    struct Result {
        var text: String
        /// Not so where only `$$` was replaced.
        var isFromEnvironment: Bool
    }

    private let environment: Environment
    private let bytesMax: Int
    private var bytesUsed = 0

    init(_ environment: Environment, bytesMax: Int) {
        self.environment = environment
        self.bytesMax = bytesMax
    }

    /// - Returns: nil where there was nothing to replace.
    mutating func replace(in text: String) throws(Failure) -> Result? {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var changed = false
        var isFromEnvironment = false
        var index = 0
        let dollar = UInt8(ascii: "$")
        while index < bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if bytes[index] == dollar, next == dollar {
                result.append(dollar)
                index += 2
                changed = true
            } else if bytes[index] == dollar, next == UInt8(ascii: "{"), !isGroupNumber(bytes, index + 2) {
                let (value, end) = try variable(bytes, index)
                bytesUsed += value.utf8.count
                guard bytesUsed <= bytesMax else {
                    throw Failure(
                        offset: index,
                        problem: .limit("values of the environment add more than \(bytesMax) bytes to this file"))
                }
                result += Array(value.utf8)
                index = end
                changed = true
                isFromEnvironment = true
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        guard changed else { return nil }
        return Result(text: String(decoding: result, as: UTF8.self), isFromEnvironment: isFromEnvironment)
    }

    /// `${1}`: a group of a regular expression.
    private func isGroupNumber(_ bytes: [UInt8], _ start: Int) -> Bool {
        var index = start
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
        return index > start && index < bytes.count && bytes[index] == UInt8(ascii: "}")
    }

    /// The value of the reference that begins at `start`, and where it ends.
    private func variable(_ bytes: [UInt8], _ start: Int) throws(Failure) -> (value: String, end: Int) {
        guard let close = bytes[start...].firstIndex(of: UInt8(ascii: "}")) else {
            throw Failure(offset: start, problem: .syntax("\"${\" without \"}\"; write $${ for the text itself"))
        }
        let body = String(decoding: bytes[(start + 2)..<close], as: UTF8.self)
        var name = body
        var fallback: String?
        if let mark = body.utf8Range(of: ":-") {
            name = String(body[..<mark.lowerBound])
            fallback = String(body[mark.upperBound...])
        }
        guard LabelSet.isLegacyLabelName(name) else {
            throw Failure(
                offset: start,
                problem: .syntax(
                    "\(quoted(name)) is no name of an environment variable; write $${ for the text itself"))
        }
        if fallback?.utf8.contains(UInt8(ascii: "{")) == true {
            throw Failure(
                offset: start,
                problem: .syntax(
                    "a default holds no \"{\": the first \"}\" would end it, and no reference stands in another"))
        }
        let value = environment[name]
        if let value, !value.isEmpty || fallback == nil { return (value, close + 1) }
        guard let fallback else { throw Failure(offset: start, problem: .unsetVariable(name)) }
        return (fallback, close + 1)
    }
}

extension String {
    func utf8Range(of part: String) -> Range<String.Index>? {
        let pattern = Array(part.utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: pattern) { return start..<utf8.index(start, offsetBy: pattern.count) }
            start = utf8.index(after: start)
        }
        return nil
    }
}
