/// What is wrong with a template, or went wrong while it was executed.
package struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Stage: Sendable { case parse, execution }

    package let stage: Stage
    /// The template's name, as in its `define`, or that of the text it stands in.
    package let template: String
    /// 1-based; 0 where the error has no place.
    package let line: Int
    /// In bytes from the line's start, from 0, as Go counts. Nil where the error has no place.
    package let column: Int?
    package let message: String

    init(_ stage: Stage, template: String, line: Int = 0, column: Int? = nil, _ message: String) {
        self.stage = stage
        self.template = template
        self.line = line
        self.column = column
        self.message = message
    }

    /// Where in the text that it was read from, in bytes.
    package func byteOffset(in text: String) -> Int {
        let bytes = Array(text.utf8)
        var start = 0
        for _ in 1..<max(line, 1) {
            guard let end = bytes[start...].firstIndex(of: 0x0A) else { break }
            start = end + 1
        }
        if let column { return min(start + column, bytes.count) }
        // Only the line is known: its first action is the likeliest place.
        let line = bytes[start...].prefix { $0 != 0x0A }
        let action = line.indices.first { line[$0...].starts(with: [UInt8(ascii: "{"), UInt8(ascii: "{")]) }
        return action ?? start
    }

    /// In Go's manner: `template: name:1:4: what is wrong`.
    package var description: String {
        let place = line == 0 ? "" : ":\(line)" + (column.map { ":\($0)" } ?? "")
        return "template: \(template)\(place): \(message)"
    }
}
