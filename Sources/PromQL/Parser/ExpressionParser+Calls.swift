import Streams

/// Function calls, aggregations, and what stands between a binary operator and its right side.
extension ExpressionParser {
    // MARK: - Calls

    /// `name(arguments)`, the name being taken.
    mutating func call(_ name: Token) throws(Problem) -> Parsed {
        let (arguments, depth) = try callArguments()
        guard let function = FunctionSignature.named(name.text) else {
            throw Problem(.unknownFunction, name.place, "unknown function with name \(quoted(name.text))")
        }
        if function.isExperimental, !options.experimentalFunctions {
            throw Problem(.feature, name.place, "function \(quoted(name.text)) is not enabled")
        }
        let node = FunctionCall(function, arguments, place: Place(name.place.start, lastClosing))
        return Parsed(expression: .call(node), depth: depth + 1)
    }

    private mutating func callArguments() throws(Problem) -> (arguments: [Expression], depth: Int) {
        try expect(.leftParenthesis)
        var arguments: [Expression] = []
        var depth = 0
        if try take(.rightParenthesis) != nil { return (arguments, depth) }
        while true {
            let argument = try nested { parser throws(Problem) in try parser.expression() }
            arguments.append(argument.expression)
            depth = max(depth, argument.depth)
            guard let comma = try take(.comma) else { break }
            if !beginsExpression(try peek().kind) {
                throw Problem(.semantic, comma.place, "trailing commas not allowed in function call args")
            }
        }
        try expect(.rightParenthesis)
        return (arguments, depth)
    }

    private func beginsExpression(_ kind: Token.Kind) -> Bool {
        switch kind {
        case .number, .duration, .string, .leftParenthesis, .leftBrace, .binary(.add), .binary(.subtract): true
        default: isMetricIdentifier(kind)
        }
    }

    // MARK: - Aggregations

    /// `op by (labels) (arguments)` or `op (arguments) by (labels)`, the operator being taken.
    mutating func aggregation(_ op: AggregationOperator, _ token: Token) throws(Problem) -> Parsed {
        var grouping: (labels: [String], isWithout: Bool)?
        let (arguments, depth) = try within(Context("aggregation")) {
            parser throws(Problem) -> (arguments: [Expression], depth: Int) in
            grouping = try parser.groupingClause()
            return try parser.callArguments()
        }
        if grouping == nil { grouping = try groupingClause() }
        let place = Place(token.place.start, lastClosing)
        if arguments.isEmpty {
            throw Problem(.arity, place, "no arguments for aggregate expression provided")
        }
        if op.isExperimental, !options.experimentalFunctions {
            throw Problem(
                .feature, place,
                "\(op.rawValue)() is experimental and must be enabled with "
                    + "--enable-feature=promql-experimental-functions")
        }
        let wanted = op.parameterType == nil ? 1 : 2
        if arguments.count != wanted {
            throw Problem(
                .arity, place,
                "wrong number of arguments for aggregate expression provided, "
                    + "expected \(wanted), got \(arguments.count)")
        }
        let node = Aggregation(
            op, arguments[wanted - 1], parameter: wanted == 2 ? arguments[0] : nil, grouping: grouping?.labels ?? [],
            isWithout: grouping?.isWithout ?? false, place: place)
        return Parsed(expression: .aggregation(node), depth: depth + 1)
    }

    private mutating func groupingClause() throws(Problem) -> (labels: [String], isWithout: Bool)? {
        switch try peek().kind {
        case .keyword(.by):
            try take()
            return (try groupingLabels(), false)
        case .keyword(.without):
            try take()
            return (try groupingLabels(), true)
        default: return nil
        }
    }

    /// `(a, b, "c d")`
    private mutating func groupingLabels() throws(Problem) -> [String] {
        try within(Context("grouping opts", expected: "\"(\"")) { parser throws(Problem) in
            _ = try parser.expect(.leftParenthesis)
        }
        var labels: [String] = []
        if try take(.rightParenthesis) != nil { return labels }
        while true {
            labels.append(
                try within(Context("grouping opts", expected: "label", .label)) { parser throws(Problem) in
                    try parser.groupingLabel()
                })
            let separator = try within(Context("grouping opts", expected: "\",\" or \")\"")) {
                parser throws(Problem) in
                try parser.take(.comma, or: .rightParenthesis)
            }
            if separator.kind == .rightParenthesis { return labels }
            if try take(.rightParenthesis) != nil { return labels }
        }
    }

    private mutating func groupingLabel() throws(Problem) -> String {
        let token = try take()
        let isName =
            switch token.kind {
            case .keyword(let word): word != .without
            case .binary(.atan2): true
            case .string: true
            default: isMetricIdentifier(token.kind)
            }
        guard isName else { throw unexpected(token) }
        let name = token.kind == .string ? Literal.string(token) : token.text
        if name.isEmpty || hasInvalidByte(name) {
            throw Problem(.label, token.place, "invalid label name for grouping: \(quoted(name))")
        }
        return name
    }

    // MARK: - Modifiers of binary operators

    /// `bool on (labels) group_left (include) fill (0)`, each of them where it is.
    mutating func binaryModifiers() throws(Problem) -> (returnsBool: Bool, matching: VectorMatching) {
        var matching = VectorMatching()
        let returnsBool = try take(.keyword(.bool)) != nil
        let kind = try peek().kind
        if kind == .keyword(.on) || kind == .keyword(.ignoring) {
            try take()
            matching.isOn = kind == .keyword(.on)
            matching.labels = try groupingLabels()
            let next = try peek().kind
            if next == .keyword(.groupLeft) || next == .keyword(.groupRight) {
                try take()
                matching.cardinality = next == .keyword(.groupLeft) ? .manyToOne : .oneToMany
                if try peek().kind == .leftParenthesis { matching.include = try groupingLabels() }
            }
        }
        if try take(.keyword(.fill)) != nil {
            let value = try fillValue()
            matching.fillLeft = value
            matching.fillRight = value
        } else if try take(.keyword(.fillLeft)) != nil {
            matching.fillLeft = try fillValue()
            if try take(.keyword(.fillRight)) != nil { matching.fillRight = try fillValue() }
        } else if try take(.keyword(.fillRight)) != nil {
            matching.fillRight = try fillValue()
            if try take(.keyword(.fillLeft)) != nil { matching.fillLeft = try fillValue() }
        }
        return (returnsBool, matching)
    }

    private mutating func fillValue() throws(Problem) -> Double {
        try expect(.leftParenthesis)
        let value = try signedNumber().value
        try expect(.rightParenthesis)
        return value
    }

    /// A number or duration with or without one sign.
    mutating func signedNumber() throws(Problem) -> NumberLiteral {
        var token = try take()
        let first = token
        let isSigned = token.kind == .binary(.add) || token.kind == .binary(.subtract)
        if isSigned { token = try take() }
        guard token.kind == .number || token.kind == .duration else { throw unexpected(token) }
        var literal = try number(token)
        if first.kind == .binary(.subtract) { literal.value = -literal.value }
        literal.place.start = first.place.start
        return literal
    }
}
