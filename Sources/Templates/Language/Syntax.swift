/// Where in a template's text something stands.
struct Position: Sendable, Hashable {
    var line: Int
    /// In bytes from the line's start, from 0.
    var column: Int
}

/// A named piece of template.
struct Tree: Sendable {
    var name: String
    /// The name of the text that it was read from, for errors.
    var source: String
    var nodes: [Node]

    /// Nothing but space: such a definition never replaces another.
    var isEmpty: Bool {
        nodes.allSatisfy {
            if case .text(let text) = $0 { return text.utf8.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }
            return false
        }
    }
}

indirect enum Node: Sendable {
    case text(String)
    case action(Pipeline)
    case conditional(Branch)
    case with(Branch)
    case range(Branch)
    case template(name: String, Pipeline?, Position)
    case leaveLoop(Position)
    case nextRound(Position)
}

/// An `if`, `with` or `range`.
struct Branch: Sendable {
    var pipeline: Pipeline
    var body: [Node]
    var otherwise: [Node]?
    var position: Position
}

struct Pipeline: Sendable {
    var position: Position
    /// The variables that are set, with their `$`.
    var variables: [String] = []
    /// `=` and not `:=`.
    var assigns = false
    var commands: [Command] = []
}

struct Command: Sendable {
    var arguments: [Operand]
}

struct Operand: Sendable {
    indirect enum Kind: Sendable {
        case dot
        case nilLiteral
        case boolean(Bool)
        case number(Number)
        case string(String)
        case field([String])
        case variable(String, [String])
        case function(String)
        case pipeline(Pipeline)
        case chain(Operand, [String])
    }

    var kind: Kind
    var position: Position
    /// As in the source, for errors.
    var text: String
}

/// A constant, which fits several types.
struct Number: Sendable {
    var integer: Int?
    var double: Double?
    /// The imaginary part, of complex constants; `double` is their real part.
    var imaginary: Double?
    /// Written as a floating-point number.
    var isDouble: Bool
}
