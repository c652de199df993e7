/// The functions that Go's text/template has by itself. (`and` and `or` are the executor's own.)
enum Builtins {
    static let table: [String: Function] = [
        // Only their names count here.
        "and": Function(.any, variadic: .any) { _, arguments in arguments[0] },
        "or": Function(.any, variadic: .any) { _, arguments in arguments[0] },
        "not": Function(.any) { _, arguments in .bool(!arguments[0].isTrue) },
        "len": Function(.any) { _, arguments in .int(try length(arguments[0])) },
        "index": Function(.any, variadic: .any) { executor, arguments in try index(arguments, executor) },
        "slice": Function(.any, variadic: .any) { _, arguments in try slice(arguments) },
        "call": Function(.any, variadic: .any) { _, arguments in
            if arguments[0].isNil { throw CallFailure("call of nil") }
            throw CallFailure("non-function of type \(arguments[0].typeName)")
        },
        "print": Function(variadic: .any) { executor, arguments in
            .string(try Formatter.print(arguments, limit: executor.limits.outputBytesMax))
        },
        "println": Function(variadic: .any) { executor, arguments in
            .string(try Formatter.printLine(arguments, limit: executor.limits.outputBytesMax))
        },
        "printf": Function(.string, variadic: .any) { executor, arguments in
            .string(
                try Formatter.format(
                    arguments[0].text, Array(arguments.dropFirst()), limit: executor.limits.outputBytesMax))
        },
        "html": Function(variadic: .any) { executor, arguments in
            .string(TextEscaping.html(try joined(arguments, executor)))
        },
        "js": Function(variadic: .any) { executor, arguments in
            .string(TextEscaping.javaScript(try joined(arguments, executor)))
        },
        "urlquery": Function(variadic: .any) { executor, arguments in
            .string(GoText.queryEscaped(try joined(arguments, executor)))
        },
        "eq": Function(.any, variadic: .any) { _, arguments in .bool(try Comparison.isEqualToOne(arguments)) },
        "ne": Function(.any, .any) { _, arguments in .bool(!(try Comparison.isEqual(arguments[0], arguments[1]))) },
        "lt": comparison { isLess, _ in isLess },
        "le": comparison { isLess, isEqual in isLess || isEqual },
        "gt": comparison { isLess, isEqual in !(isLess || isEqual) },
        "ge": comparison { isLess, _ in !isLess },
    ]

    private static func comparison(_ answer: @escaping @Sendable (Bool, Bool) -> Bool) -> Function {
        Function(.any, .any) { _, arguments in
            let isLess = try Comparison.isLess(arguments[0], arguments[1])
            return .bool(answer(isLess, try Comparison.isEqual(arguments[0], arguments[1])))
        }
    }

    /// The arguments as `print` writes them; a nil is `<no value>` here.
    private static func joined(_ arguments: [Value], _ executor: Executor) throws -> String {
        let shown = arguments.map { $0.isNil ? Value.string("<no value>") : $0 }
        return try Formatter.print(shown, limit: executor.limits.outputBytesMax)
    }

    private static func length(_ value: Value) throws -> Int {
        switch value {
        case .string(let text), .trusted(_, let text): return text.utf8.count
        case .list(let list): return list.elements.count
        case .map(let map): return map.entries.count
        case .absent, .null: throw CallFailure("len of nil pointer")
        default: throw CallFailure("len of type \(value.typeName)")
        }
    }

    private static func index(_ arguments: [Value], _ executor: Executor) throws -> Value {
        var value = arguments[0]
        if value.isNil { throw CallFailure("index of untyped nil") }
        for key in arguments.dropFirst() {
            switch value {
            case .list(let list): value = list.elements[try position(key, below: list.elements.count)]
            case .string(let text), .trusted(_, let text):
                let bytes = text.utf8
                value = .int(Int(bytes[bytes.index(bytes.startIndex, offsetBy: try position(key, below: bytes.count))]))
            case .map(let map):
                guard case .string(let name) = key else {
                    throw CallFailure(
                        key.isNil
                            ? "value is nil; should be of type string"
                            : "value has type \(key.typeName); should be string")
                }
                value = map.entries[name] ?? map.type.zero
            case .absent, .null: throw CallFailure("index of nil pointer")
            default: throw CallFailure("can't index item of type \(value.typeName)")
            }
        }
        return value
    }

    private static func position(_ key: Value, below count: Int) throws -> Int {
        guard case .int(let index) = key else {
            throw CallFailure(
                key.isNil ? "cannot index slice/array with nil" : "cannot index slice/array with type \(key.typeName)")
        }
        guard (0..<count).contains(index) else { throw CallFailure("index out of range: \(index)") }
        return index
    }

    private static func slice(_ arguments: [Value]) throws -> Value {
        let value = arguments[0]
        let bounds = arguments.dropFirst()
        guard bounds.count <= 3 else { throw CallFailure("too many slice indexes: \(bounds.count)") }
        let count: Int
        switch value {
        case .string(let text), .trusted(_, let text):
            if bounds.count == 3 { throw CallFailure("cannot 3-index slice a string") }
            count = text.utf8.count
        case .list(let list): count = capacity(list)
        case .absent, .null: throw CallFailure("slice of untyped nil")
        default: throw CallFailure("can't slice item of type \(value.typeName)")
        }
        var limits = [0, try length(value), count]
        for (place, bound) in bounds.enumerated() { limits[place] = try position(bound, below: count + 1) }
        guard limits[0] <= limits[1] else { throw CallFailure("invalid slice index: \(limits[0]) > \(limits[1])") }
        if bounds.count == 3, limits[1] > limits[2] {
            throw CallFailure("invalid slice index: \(limits[1]) > \(limits[2])")
        }
        switch value {
        case .list(let list):
            let padded = list.elements + Array(repeating: .null, count: max(0, limits[1] - list.elements.count))
            return .list(List(list.type, Array(padded[limits[0]..<limits[1]])))
        default: return .string(String(decoding: Array(value.text.utf8)[limits[0]..<limits[1]], as: UTF8.self))
        }
    }

    /// Go lets a slice grow into its array's spare room, and lists that were read from JSON have it: their arrays
    /// grow to the next power of two.
    private static func capacity(_ list: List) -> Int {
        guard list.type === ListType.any, !list.elements.isEmpty else { return list.elements.count }
        var room = 1
        while room < list.elements.count { room *= 2 }
        return room
    }
}
