/// A function or method that templates can call. A method has its receiver as the first argument of `body`, which
/// `parameters` does not count.
package struct Function: Sendable {
    let parameters: [Parameter]
    /// The type of any further arguments; nil: there are none.
    let variadic: Parameter?
    let body: @Sendable (Executor, [Value]) throws -> Value

    init(
        _ parameters: Parameter..., variadic: Parameter? = nil,
        body: @escaping @Sendable (Executor, [Value]) throws -> Value
    ) {
        self.parameters = parameters
        self.variadic = variadic
        self.body = body
    }

    /// Of strings to a string.
    static func text(_ body: @escaping @Sendable (String) throws -> String) -> Function {
        Function(.string) { _, arguments in .string(try body(arguments[0].text)) }
    }

    /// A method without arguments.
    static func property(_ body: @escaping @Sendable (Value) throws -> Value) -> Function {
        Function { _, arguments in try body(arguments[0]) }
    }
}

/// What a parameter takes.
enum Parameter: Sendable {
    case any, string, int, bool, double, strings, anyList, time, duration
    case list(ListType)
    case record(RecordType)

    var name: String {
        switch self {
        case .any: "interface {}"
        case .string: "string"
        case .int: "int"
        case .bool: "bool"
        case .double: "float64"
        case .strings: "[]string"
        case .anyList: "[]interface {}"
        case .time: "time.Time"
        case .duration: "time.Duration"
        case .list(let type): type.name
        case .record(let type): type.name
        }
    }

    func accepts(_ value: Value) -> Bool {
        switch (self, value) {
        case (.any, _), (.string, .string), (.int, .int), (.bool, .bool), (.double, .double), (.time, .time),
            (.duration, .duration):
            true
        case (.strings, .list(let list)): list.type.elementName == "string"
        case (.anyList, .list(let list)): list.type.holdsAny
        case (.list(let type), .list(let list)): type === list.type
        case (.record(let type), .record(let record)): type === record.type
        default: false
        }
    }
}

/// What a function says when it can't do what it was asked.
struct CallFailure: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

extension Value {
    /// The content of a string; other values give nothing. For bodies, whose arguments have been checked.
    var text: String {
        switch self {
        case .string(let text), .trusted(_, let text): text
        default: ""
        }
    }

    var elements: [Value] {
        if case .list(let list) = self { return list.elements }
        return []
    }
}
