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

    /// In Go's manner: `template: name:1:4: what is wrong`.
    package var description: String {
        let place = line == 0 ? "" : ":\(line)" + (column.map { ":\($0)" } ?? "")
        return "template: \(template)\(place): \(message)"
    }
}
