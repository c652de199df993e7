/// Why a text is no PromQL, and where: the first problem that was found.
///
/// Its description is the message that Prometheus's API gives.
package struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of mistake it is, for those who count or explain them.
    package enum Category: String, Sendable, Hashable {
        /// A number, string, character or regular expression that cannot be read.
        case lexical = "lex"
        case syntax
        /// Inside of braces or a list of labels.
        case label
        case type
        case arity
        case unknownFunction = "unknown-function"
        /// A selector that would take every series.
        case emptyMatcher = "empty-matcher"
        case duration
        /// Modifiers, grouping, `bool`, `@`, `offset`, trailing commas.
        case semantic
        /// Behind a switch of `ParserOptions` that is off.
        case feature
        /// Beyond a bound of this implementation.
        case other
    }

    package var category: Category
    package var message: String
    package var place: Place
    /// 1-based; nil where the text is empty.
    package var line: Int?
    /// 1-based, in bytes.
    package var column: Int

    package var description: String {
        guard let line else { return "unknown position: parse error: \(message)" }
        return "\(line):\(column): parse error: \(message)"
    }

    init(_ problem: Problem, in bytes: [UInt8]) {
        category = problem.category
        message = problem.message
        place = problem.place
        let before = bytes.prefix(max(0, problem.place.start))
        line = bytes.isEmpty ? nil : before.count { $0 == UInt8(ascii: "\n") } + 1
        column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
    }
}

/// A parse error on its way out, before line and column are known.
struct Problem: Error {
    var category: ParseError.Category
    var message: String
    var place: Place

    init(_ category: ParseError.Category, _ place: Place, _ message: String) {
        self.category = category
        self.message = message
        self.place = place
    }
}
