internal import Streams

/// Reads a file of environment variables, a line each: `NAME=value`, `export NAME=value`, `#` comments. A value in single
/// quotes is taken as it is; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes; both may span lines. A bare
/// value ends at the line's end or at ` #`, blanks around it left out. Nothing is expanded.
package struct EnvironmentFile {
    private let source: SourceText
    private let bytes: [UInt8]
    private var index = 0

    private init(_ source: SourceText) {
        self.source = source
        bytes = source.bytes
    }

    /// - Returns: the variables; of a name that is set twice the last value, as a shell has it.
    package static func parse(_ source: SourceText, diagnostics: Diagnostics) -> [String: String] {
        var reader = EnvironmentFile(source)
        var result: [String: String] = [:]
        while reader.index < reader.bytes.count {
            do throws(ConfigError) {
                if let (name, value) = try reader.line() { result[name] = value }
            } catch {
                diagnostics.report(error)
                reader.skipLine()
            }
        }
        return result
    }

    private func failure(_ text: String, at offset: Int) -> ConfigError {
        ConfigError(source.location(at: offset), .syntax(text))
    }

    private func at(_ byte: Character) -> Bool { index < bytes.count && bytes[index] == byte.asciiValue }

    private var isAtLineEnd: Bool { index >= bytes.count || bytes[index] == 0x0A || bytes[index] == 0x0D }

    private mutating func skipLine() {
        while !isAtLineEnd { index += 1 }
        while index < bytes.count, isAtLineEnd { index += 1 }
    }

    private mutating func skipBlanks() { while at(" ") || at("\t") { index += 1 } }

    private mutating func word() -> String {
        let start = index
        while index < bytes.count, !isAtLineEnd, !at("="), !at(" "), !at("\t") { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func line() throws(ConfigError) -> (name: String, value: String)? {
        skipBlanks()
        if isAtLineEnd || at("#") {
            skipLine()
            return nil
        }
        var start = index
        var name = word()
        skipBlanks()
        if name == "export", !at("=") {
            start = index
            name = word()
            skipBlanks()
        }
        guard at("=") else { throw failure("expected NAME=value", at: start) }
        guard LabelSet.isLegacyLabelName(name) else {
            throw failure("\(quoted(name)) is no variable's name; use letters, digits and _", at: start)
        }
        index += 1
        skipBlanks()
        let value = try value()
        skipBlanks()
        guard isAtLineEnd || at("#") else {
            throw failure("unexpected text after the closing quote", at: index)
        }
        skipLine()
        return (name, value)
    }

    private mutating func value() throws(ConfigError) -> String {
        if at("'") || at("\"") { return try quotedValue() }
        let start = index
        var end = index
        while !isAtLineEnd {
            let isBlank = at(" ") || at("\t")
            if at("#"), index == start || end < index { break }
            index += 1
            if !isBlank { end = index }
        }
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private mutating func quotedValue() throws(ConfigError) -> String {
        let start = index
        let quote = bytes[index]
        index += 1
        var value: [UInt8] = []
        while index < bytes.count, bytes[index] != quote {
            if quote == UInt8(ascii: "\""), at("\\"), index + 1 < bytes.count {
                index += 1
                switch Unicode.Scalar(bytes[index]) {
                case "n": value.append(0x0A)
                case "r": value.append(0x0D)
                case "t": value.append(0x09)
                case "\"", "\\", "$": value.append(bytes[index])
                default: value += [UInt8(ascii: "\\"), bytes[index]]
                }
            } else {
                value.append(bytes[index])
            }
            index += 1
        }
        guard index < bytes.count else {
            throw failure("the value's quote is never closed", at: start)
        }
        index += 1
        return String(decoding: value, as: UTF8.self)
    }
}
