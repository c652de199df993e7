extension Parser {
    mutating func pipeline(_ context: String, until end: Token.Kind) throws -> Pipeline {
        var pipeline = Pipeline(position: position(of: peekNonSpace()))
        try declarations(of: &pipeline, context)
        while true {
            let token = nextNonSpace()
            switch token.kind {
            case end:
                try check(pipeline, context)
                return pipeline
            case .boolean, .characterConstant, .number, .dot, .field, .identifier, .nilLiteral, .rawString, .string,
                .variable, .leftParenthesis:
                index -= 1
                pipeline.commands.append(try command())
            default: throw unexpected(token, context)
            }
        }
    }

    private mutating func declarations(of pipeline: inout Pipeline, _ context: String) throws {
        while true {
            let start = index
            let variable = nextNonSpace()
            guard variable.kind == .variable else {
                index = start
                return
            }
            let following = nextNonSpace()
            switch following.kind {
            case .assign, .declare:
                pipeline.assigns = following.kind == .assign
                pipeline.variables.append(variable.text)
                variables.append(variable.text)
                return
            case .character where following.text == ",":
                pipeline.variables.append(variable.text)
                variables.append(variable.text)
                guard context == "range", pipeline.variables.count < 2 else {
                    throw failure("too many declarations in \(context)", at: variable)
                }
                switch peekNonSpace().kind {
                case .variable, .rightDelimiter, .rightParenthesis: continue
                default: throw failure("range can only initialize variables")
                }
            default:
                index = start
                return
            }
        }
    }

    private func check(_ pipeline: Pipeline, _ context: String) throws {
        guard !pipeline.commands.isEmpty else { throw failure("missing value for \(context)") }
        for (number, command) in pipeline.commands.enumerated().dropFirst() {
            switch command.arguments[0].kind {
            case .boolean, .dot, .nilLiteral, .number, .string:
                throw failure("non executable command in pipeline stage \(number + 1)")
            default: break
            }
        }
    }

    private mutating func command() throws -> Command {
        var arguments: [Operand] = []
        loop: while true {
            skipSpace()
            if let operand = try operand() { arguments.append(operand) }
            let token = next()
            switch token.kind {
            case .space: continue
            case .rightDelimiter, .rightParenthesis:
                index -= 1
                break loop
            case .pipe:
                let following = peekNonSpace()
                if following.kind == .rightDelimiter || following.kind == .rightParenthesis {
                    throw failure("missing command after |")
                }
                break loop
            default: throw unexpected(token, "operand")
            }
        }
        guard !arguments.isEmpty else { throw failure("empty command") }
        return Command(arguments: arguments)
    }

    private mutating func operand() throws -> Operand? {
        guard let term = try term() else { return nil }
        guard current.kind == .field else { return term }
        let start = current
        var names: [String] = []
        var text = term.text
        while current.kind == .field {
            let token = next()
            names.append(String(token.text.dropFirst()))
            text += token.text
        }
        let place = position(of: start)
        switch term.kind {
        case .field(let fields): return Operand(kind: .field(fields + names), position: place, text: text)
        case .variable(let variable, let fields):
            return Operand(kind: .variable(variable, fields + names), position: place, text: text)
        case .boolean, .string, .number, .nilLiteral, .dot:
            throw failure("unexpected . after term \(GoText.quote(term.text))")
        default: return Operand(kind: .chain(term, names), position: place, text: text)
        }
    }

    private mutating func term() throws -> Operand? {
        skipSpace()
        let start = index
        let token = next()
        func operand(_ kind: Operand.Kind) -> Operand {
            Operand(kind: kind, position: position(of: token), text: token.text)
        }
        switch token.kind {
        case .identifier:
            guard isFunction(token.text) else {
                throw failure("function \(GoText.quote(token.text)) not defined", at: token)
            }
            return operand(.function(token.text))
        case .dot: return operand(.dot)
        case .nilLiteral: return operand(.nilLiteral)
        case .variable:
            guard variables.contains(where: { isSameBytes($0, token.text) }) else {
                throw failure("undefined variable \(GoText.quote(token.text))", at: token)
            }
            return operand(.variable(token.text, []))
        case .field: return operand(.field([String(token.text.dropFirst())]))
        case .boolean: return operand(.boolean(token.text == "true"))
        case .characterConstant, .number:
            do throws(Constant.Problem) {
                return operand(.number(try Constant.number(token.text)))
            } catch {
                throw failure(error.message, at: token)
            }
        case .string, .rawString: return operand(.string(try unquoted(token)))
        case .leftParenthesis:
            let inner = try nested { try $0.pipeline("parenthesized pipeline", until: .rightParenthesis) }
            let text = lines.text(from: token.offset, to: tokens[index - 1].offset + 1)
            return Operand(kind: .pipeline(inner), position: position(of: token), text: text)
        default:
            index = start
            return nil
        }
    }

    func unquoted(_ token: Token) throws -> String {
        do throws(Constant.Problem) {
            return try Constant.string(token.text)
        } catch {
            throw failure(error.message, at: token)
        }
    }
}
