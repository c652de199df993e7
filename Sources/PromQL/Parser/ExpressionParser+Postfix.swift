import Streams

/// What may follow a selector: ranges, subqueries, `offset`, `@`, `anchored`, `smoothed`. They bind tighter than any
/// operator.
extension ExpressionParser {
    mutating func postfix(_ operand: Parsed) throws(Problem) -> Parsed {
        var parsed = operand
        while true {
            let token = try peek()
            switch token.kind {
            case .leftBracket:
                try take()
                parsed.expression = try brackets(after: parsed.expression, open: token)
                parsed.depth += 1
                try checkDepth(parsed.depth)
            case .keyword(.offset):
                try take()
                try setOffset(of: &parsed.expression)
            case .at:
                try take()
                try setTime(of: &parsed.expression)
            case .keyword(.anchored):
                try take()
                try setExtent(.anchored, of: &parsed.expression)
            case .keyword(.smoothed):
                try take()
                try setExtent(.smoothed, of: &parsed.expression)
            default: return parsed
            }
        }
    }

    // MARK: - Ranges

    private mutating func brackets(after inner: Expression, open: Token) throws(Problem) -> Expression {
        let expected = "number, duration, step(), or range()"
        let range = try within(Context("subquery or range selector", expected: expected, .duration)) {
            parser throws(Problem) in
            try parser.positiveDuration()
        }
        let separator = try within(Context("subquery or range", expected: "\":\" or \"]\"", .duration)) {
            parser throws(Problem) in
            try parser.take(.colon, or: .rightBracket)
        }
        if separator.kind == .rightBracket {
            return .matrixSelector(try matrixSelector(inner, range, Place(open.place.start, separator.place.end)))
        }
        var step: DurationValue?
        if try peek().kind != .rightBracket {
            let stepExpected = "number, duration, step(), range(), or \"]\""
            step = try within(Context("subquery selector", expected: stepExpected, .duration)) {
                parser throws(Problem) in
                try parser.positiveDuration()
            }
        }
        let close = try within(Context("subquery selector", expected: "\"]\"", .duration)) { parser throws(Problem) in
            try parser.expect(.rightBracket)
        }
        let place = Place(inner.place.start, close.place.end)
        return .subquery(Subquery(inner, range: range, step: step, place: place))
    }

    private func matrixSelector(
        _ inner: Expression, _ range: DurationValue, _ brackets: Place
    ) throws(Problem) -> MatrixSelector {
        guard case .vectorSelector(let selector) = inner else {
            throw Problem(.semantic, brackets, "ranges only allowed for vector selectors")
        }
        if selector.offset != .zero {
            throw Problem(.semantic, brackets, "no offset modifiers allowed before range")
        }
        if selector.at != nil {
            throw Problem(.semantic, brackets, "no @ modifiers allowed before range")
        }
        return MatrixSelector(
            selector: selector, range: range, place: Place(selector.place.start, brackets.end))
    }

    // MARK: - Offset

    private mutating func setOffset(of expression: inout Expression) throws(Problem) {
        let expected = "number, duration, step(), or range()"
        let offset = try within(Context("offset", expected: expected, .duration)) { parser throws(Problem) in
            try parser.offsetDuration()
        }
        let place = expression.place
        func replace(_ old: inout DurationValue) throws(Problem) {
            if old != .zero { throw Problem(.semantic, place, "offset may not be set multiple times") }
            old = offset
        }
        switch expression {
        case .vectorSelector(var node):
            try replace(&node.offset)
            node.place.end = lastClosing
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            try replace(&node.selector.offset)
            node.place.end = lastClosing
            expression = .matrixSelector(node)
        case .subquery(var node):
            try replace(&node.offset)
            node.place.end = lastClosing
            expression = .subquery(node)
        default:
            throw Problem(.semantic, place, "offset modifier " + Self.precededBySelector)
        }
    }

    private static let precededBySelector =
        "must be preceded by an instant vector selector or range vector selector or a subquery"

    // MARK: - @

    private mutating func setTime(of expression: inout Expression) throws(Problem) {
        let place = expression.place
        let time = try within(Context("@", expected: "timestamp")) { parser throws(Problem) in
            try parser.atModifier(place)
        }
        func replace(_ old: inout AtModifier?) throws(Problem) {
            if old != nil { throw Problem(.semantic, place, "@ <timestamp> may not be set multiple times") }
            old = time
        }
        switch expression {
        case .vectorSelector(var node):
            try replace(&node.at)
            node.place.end = lastClosing
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            try replace(&node.selector.at)
            node.place.end = lastClosing
            expression = .matrixSelector(node)
        case .subquery(var node):
            try replace(&node.at)
            node.place.end = lastClosing
            expression = .subquery(node)
        default:
            throw Problem(.semantic, place, "@ modifier " + Self.precededBySelector)
        }
    }

    private mutating func atModifier(_ place: Place) throws(Problem) -> AtModifier {
        if case .preprocessor(let word) = try peek().kind, word == .start || word == .end {
            try take()
            try expect(.leftParenthesis)
            try expect(.rightParenthesis)
            return word == .start ? .start : .end
        }
        let seconds = try signedNumber().value
        let milliseconds = (seconds * 1000).rounded(.toNearestOrAwayFromZero)
        guard milliseconds.magnitude < 0x1p63 else {
            throw Problem(
                .semantic, place,
                "timestamp out of bounds for @ modifier: \(formatFloat(seconds, .fixed, precision: 6))")
        }
        return .timestamp(Timestamp(milliseconds: Int64(milliseconds)))
    }

    // MARK: - Extent

    private func setExtent(_ extent: SelectorExtent, of expression: inout Expression) throws(Problem) {
        let name = extent == .anchored ? "anchored" : "smoothed"
        let place = expression.place
        if !options.extendedRangeSelectors {
            throw Problem(.feature, place, "\(name) modifier is experimental and not enabled")
        }
        func replace(_ old: inout SelectorExtent) throws(Problem) {
            if old != .samples, old != extent {
                throw Problem(.semantic, place, "anchored and smoothed modifiers cannot be used together")
            }
            old = extent
        }
        switch expression {
        case .vectorSelector(var node):
            try replace(&node.extent)
            expression = .vectorSelector(node)
        case .matrixSelector(var node):
            try replace(&node.selector.extent)
            expression = .matrixSelector(node)
        case .subquery:
            throw Problem(.semantic, place, "\(name) modifier is not supported for subqueries")
        default:
            throw Problem(.semantic, place, "\(name) modifier not implemented")
        }
    }
}
