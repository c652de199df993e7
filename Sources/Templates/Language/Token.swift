/// A piece of a template.
struct Token {
    enum Kind: Equatable {
        case text, leftDelimiter, rightDelimiter, leftParenthesis, rightParenthesis, space, pipe
        case declare, assign, character, dot, field, variable, identifier, keyword
        case boolean, nilLiteral, number, characterConstant, string, rawString, end
        case failure
    }

    var kind: Kind
    /// The source text; of text between actions, what is left after trimming; of a failure, the message.
    var text: String
    /// In bytes from the template's start.
    var offset: Int
}

/// Words with a meaning of their own.
enum Keyword {
    static let all: Set<String> = [
        "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
    ]
}
