extension Executor {
    func evaluate(_ command: Command, dot: Value, piped: Value?) throws -> Value {
        let first = command.arguments[0]
        switch first.kind {
        case .field(let names): return try fields(names, of: dot, dot: dot, first, command.arguments, piped)
        case .chain(let inner, let names):
            return try fields(
                names, of: try nested(at: first.position) { try value(of: inner, dot: dot) }, dot: dot, first,
                command.arguments, piped)
        case .function(let name): return try call(name, first, command.arguments, piped, dot: dot)
        case .variable(let name, let names):
            let value = try variable(name, at: first)
            if names.isEmpty {
                try refuseArguments(first, command.arguments, piped)
                return value
            }
            return try fields(names, of: value, dot: dot, first, command.arguments, piped)
        case .pipeline(let inner):
            try refuseArguments(first, command.arguments, piped)
            return try nested(at: first.position) { try evaluate(inner, dot: dot) }
        case .nilLiteral: throw failure("nil is not a command", at: first)
        case .dot, .boolean, .number, .string:
            try refuseArguments(first, command.arguments, piped)
            return try value(of: first, dot: dot)
        }
    }

    private func refuseArguments(_ operand: Operand, _ arguments: [Operand], _ piped: Value?) throws {
        if arguments.count > 1 || piped != nil {
            throw failure("can't give argument to non-function \(operand.text)", at: operand)
        }
    }

    /// An operand alone, as an argument whose type does not matter.
    private func value(of operand: Operand, dot: Value) throws -> Value {
        switch operand.kind {
        case .dot: return dot
        case .nilLiteral: return .null
        case .boolean(let flag): return .bool(flag)
        case .number(let number): return try constant(number, at: operand)
        case .string(let text): return .string(text)
        case .field, .variable, .function, .pipeline, .chain:
            return try evaluate(Command(arguments: [operand]), dot: dot, piped: nil)
        }
    }

    private func constant(_ number: Number, at operand: Operand) throws -> Value {
        if let imaginary = number.imaginary { return .complex(number.double ?? 0, imaginary) }
        if number.isDouble, let double = number.double { return .double(double) }
        guard let integer = number.integer else { throw failure("integer overflow", at: operand) }
        return .int(integer)
    }

    // MARK: Fields

    private func fields(
        _ names: [String], of receiver: Value, dot: Value, _ operand: Operand, _ arguments: [Operand], _ piped: Value?
    ) throws -> Value {
        var value = receiver
        for (index, name) in names.enumerated() {
            let isLast = index == names.count - 1
            value = try field(
                name, of: value, dot: dot, operand, isLast ? arguments : [operand], isLast ? piped : nil)
        }
        return value
    }

    private func field(
        _ name: String, of receiver: Value, dot: Value, _ operand: Operand, _ arguments: [Operand], _ piped: Value?
    ) throws -> Value {
        if case .absent = receiver { return .absent }
        if case .null = receiver { throw failure("nil pointer evaluating interface {}.\(name)", at: operand) }
        if let method = receiver.method(name) {
            return try call(name, method, receiver: receiver, operand, arguments, piped, dot: dot)
        }
        let hasArguments = arguments.count > 1 || piped != nil
        switch receiver {
        case .record(let record):
            if let value = record.value(name) {
                if hasArguments {
                    throw failure("\(name) has arguments but cannot be invoked as function", at: operand)
                }
                return value
            }
        case .map(let map):
            if hasArguments { throw failure("\(name) is not a method but has arguments", at: operand) }
            if let value = map.entries[name] { return value }
            return missingKeyIsZero ? map.type.zero : .absent
        default: break
        }
        throw failure("can't evaluate field \(name) in type \(receiver.typeName)", at: operand)
    }

    // MARK: Calls

    private func call(
        _ name: String, _ operand: Operand, _ arguments: [Operand], _ piped: Value?, dot: Value
    ) throws -> Value {
        if name == "and" || name == "or" { return try shortCircuit(name, operand, arguments, piped, dot: dot) }
        guard let function = functions[name] else {
            throw failure("\(GoText.quote(name)) is not a defined function", at: operand)
        }
        return try call(name, function, receiver: nil, operand, arguments, piped, dot: dot)
    }

    /// `and` and `or` evaluate their arguments only as far as needed.
    private func shortCircuit(
        _ name: String, _ operand: Operand, _ arguments: [Operand], _ piped: Value?, dot: Value
    ) throws -> Value {
        guard arguments.count > 1 || piped != nil else {
            throw failure("wrong number of args for \(name): want at least 1 got 0", at: operand)
        }
        var last = Value.absent
        for argument in arguments.dropFirst() {
            last = try self.argument(argument, .any, dot: dot)
            if last.isTrue == (name == "or") { return last }
        }
        return piped ?? last
    }

    private func call(
        _ name: String, _ function: Function, receiver: Value?, _ operand: Operand, _ arguments: [Operand],
        _ piped: Value?, dot: Value
    ) throws -> Value {
        let given = arguments.dropFirst()
        let count = given.count + (piped == nil ? 0 : 1)
        let wanted = function.parameters.count
        guard count == wanted || (count > wanted && function.variadic != nil) else {
            let least = function.variadic == nil ? "" : "at least "
            throw failure("wrong number of args for \(name): want \(least)\(wanted) got \(count)", at: operand)
        }
        func parameter(_ index: Int) -> Parameter {
            index < wanted ? function.parameters[index] : function.variadic ?? .any
        }
        var values: [Value] = receiver.map { [$0] } ?? []
        for (index, argument) in given.enumerated() {
            values.append(try self.argument(argument, parameter(index), dot: dot))
        }
        if let piped { values.append(try checked(piped, parameter(count - 1), operand)) }
        do {
            let result = try function.body(self, values)
            try spend(on: result, at: operand.position)
            return result
        } catch let problem as CallFailure {
            throw failure("error calling \(name): \(problem.message)", at: operand)
        } catch is Formatter.TooLong {
            throw failure("error calling \(name): more than \(limits.outputBytesMax) bytes", at: operand)
        } catch let inner as TemplateError where inner.stage == .execution && !inner.message.hasPrefix("executing") {
            throw failure("error calling \(name): \(inner)", at: operand)
        }
    }

    /// Evaluates an argument for a parameter: constants take the parameter's type.
    private func argument(_ operand: Operand, _ parameter: Parameter, dot: Value) throws -> Value {
        switch operand.kind {
        case .dot, .field, .variable, .function, .pipeline, .chain:
            return try checked(try value(of: operand, dot: dot), parameter, operand)
        case .nilLiteral:
            if case .any = parameter { return .null }
            throw failure("cannot assign nil to \(parameter.name)", at: operand)
        case .boolean, .number, .string: break
        }
        switch (parameter, operand.kind) {
        case (.any, _): return try value(of: operand, dot: dot)
        case (.string, .string(let text)): return .string(text)
        case (.string, _): throw failure("expected string; found \(operand.text)", at: operand)
        case (.bool, .boolean(let flag)): return .bool(flag)
        case (.bool, _): throw failure("expected bool; found \(operand.text)", at: operand)
        case (.int, .number(let number)):
            if let integer = number.integer { return .int(integer) }
            throw failure("expected integer; found \(operand.text)", at: operand)
        case (.duration, .number(let number)):
            if let integer = number.integer { return .duration(Int64(integer)) }
            throw failure("expected integer; found \(operand.text)", at: operand)
        case (.double, .number(let number)):
            if let double = number.double { return .double(double) }
            throw failure("expected float; found \(operand.text)", at: operand)
        case (.int, _), (.duration, _): throw failure("expected integer; found \(operand.text)", at: operand)
        case (.double, _): throw failure("expected float; found \(operand.text)", at: operand)
        default: throw failure("can't handle \(operand.text) for arg of type \(parameter.name)", at: operand)
        }
    }

    private func checked(_ value: Value, _ parameter: Parameter, _ operand: Operand) throws -> Value {
        if parameter.accepts(value) { return value }
        if value.isNil { throw failure("invalid value; expected \(parameter.name)", at: operand) }
        throw failure("wrong type for value; expected \(parameter.name); got \(value.typeName)", at: operand)
    }
}

extension Value {
    func method(_ name: String) -> Function? {
        switch self {
        case .list(let list): list.type.methods[name]
        case .map(let map): map.type.methods[name]
        case .record(let record): record.type.methods[name]
        case .time, .duration, .named: TimeMethods.method(name, of: self)
        default: nil
        }
    }
}
