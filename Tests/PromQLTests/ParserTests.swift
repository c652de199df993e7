import PromQL
import Streams
import Testing

/// What the parser makes of the text. The words and places of errors are held against Prometheus by the conformance
/// tests; here is what the tree looks like.
@Suite struct ParserTests {
    private func parse(_ text: String) throws -> Expression { try PromQLParser.parse(text, options: .everything) }

    @Test(
        "Operators bind as in Prometheus",
        arguments: [
            ("1 + 2 * 3", "1 + (2 * 3)"), ("1 * 2 + 3", "(1 * 2) + 3"), ("1 - 2 - 3", "(1 - 2) - 3"),
            ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"), ("a or b and c", "a or (b and c)"),
            ("a and b unless c", "(a and b) unless c"),
            ("a == b + c", "a == (b + c)"), ("a atan2 b * c", "(a atan2 b) * c"), ("-a ^ 2", "-(a ^ 2)"),
            ("-a * b", "(-a) * b"), ("2 ^ -a * c", "(2 ^ (-a)) * c"), ("a > b > c", "(a > b) > c"),
            ("a </ 1 + 2", "a </ (1 + 2)"), ("sum(a) by (b) + c", "(sum(a) by (b)) + c"),
        ])
    func precedence(_ text: String, explicit: String) throws {
        #expect(try withoutParentheses(parse(text)) == withoutParentheses(parse(explicit)))
    }

    private func withoutParentheses(_ expression: Expression) -> Expression {
        switch expression {
        case .parenthesized(let node): return withoutParentheses(node.inner)
        case .unary(var node):
            node.operand = withoutParentheses(node.operand)
            return .unary(node)
        case .binary(var node):
            node.left = withoutParentheses(node.left)
            node.right = withoutParentheses(node.right)
            return .binary(node)
        default: return expression
        }
    }

    @Test(arguments: [
        "up offset --1-1", "up offset (1 - step())", "up offset -step()", "up offset -(2s)", "up[5m:1m] offset --1+2",
    ])
    func `an offset that is computed reads as it prints`(_ text: String) throws {
        let printed = try parse(text).description
        #expect(try parse(printed).description == printed)
        guard case .vectorSelector(let selector) = try parse(printed) else { return #expect(text.contains("[")) }
        #expect(selector.offset != .zero)
    }

    @Test func `a selector has its matchers with the name last, and its modifiers in any order`() throws {
        let wanted = Expression.vectorSelector(
            VectorSelector(
                name: "up",
                matchers: [
                    Matcher("job", equals: "api"), try Matcher("le", .notMatches, "1.*"),
                    Matcher("__name__", equals: "up"),
                ], offset: .fixed(.seconds(-90)), at: .timestamp(Timestamp(milliseconds: 1500)), extent: .anchored))
        #expect(try parse(#"up{job="api",le!~'1.*',} anchored offset -1m30s @ 1.5"#) == wanted)
        #expect(try parse(#"up{"job"="api",le!~`1.*`} @ 1.5 anchored offset -90"#) == wanted)
    }

    @Test func `a range and a subquery keep what is fixed and what is to be computed`() throws {
        guard case .subquery(let subquery) = try parse("rate(a[5m] offset 1h)[1h:step()] @ end()").unwrapped,
            case .call(let call) = subquery.inner, case .matrixSelector(let matrix)? = call.arguments.first
        else {
            Issue.record("not a subquery over a call over a range")
            return
        }
        #expect(call.function.name == "rate")
        #expect(matrix.range == .fixed(.seconds(300)) && matrix.selector.offset == .fixed(.seconds(3600)))
        #expect(subquery.range == .fixed(.seconds(3600)) && subquery.at == .end)
        #expect(subquery.step == .computed(.step(Place(0, 0))))
    }

    @Test func `vector matching says how, and is absent where a side is a scalar`() throws {
        guard case .binary(let node) = try parse("a == bool on (x) group_right (y, z) fill_left (-1) b") else {
            Issue.record("not a binary expression")
            return
        }
        #expect(node.returnsBool)
        #expect(
            node.matching
                == VectorMatching(
                    cardinality: .oneToMany, isOn: true, labels: ["x"], include: ["y", "z"], fillLeft: -1))
        guard case .binary(let scalar) = try parse("a + 1"), case .binary(let set) = try parse("a and b") else {
            Issue.record("not binary expressions")
            return
        }
        #expect(scalar.matching == nil)
        #expect(set.matching?.cardinality == .manyToMany)
    }

    @Test func `an aggregation has its parameter and its grouping`() throws {
        let selector = Expression.vectorSelector(
            VectorSelector(name: "a", matchers: [Matcher("__name__", equals: "a")]))
        #expect(
            try parse("topk without (b, \"c d\") (3, a)")
                == .aggregation(
                    Aggregation(
                        .topk, selector, parameter: .number(NumberLiteral(3)), grouping: ["b", "c d"], isWithout: true))
        )
    }

    @Test func `places are byte offsets, and do not make expressions differ`() throws {
        #expect(try parse("  foo").place.start == 2)
        let text = "rate( foo{a=\"é\"}[5m] offset 1m ) + bar"
        guard case .binary(let node) = try parse(text), case .call(let call) = node.left else {
            Issue.record("not a sum")
            return
        }
        let bytes = Array(text.utf8)
        func words(_ place: Place) -> String { String(decoding: bytes[place.start..<place.end], as: UTF8.self) }
        #expect(words(node.place) == text)
        #expect(words(call.place) == "rate( foo{a=\"é\"}[5m] offset 1m )")
        #expect(call.arguments.first.map { words($0.place) } == "foo{a=\"é\"}[5m] offset 1m")
        #expect(words(node.right.place) == "bar")
        #expect(try parse("a+b") == parse("  a  +  b"))
        #expect(try Set([parse("a+b"), parse("a + b")]).count == 1)
    }

    @Test(
        "Errors tell line and column, in bytes",
        arguments: [
            ("", "unknown position: parse error: no expression found in input"),
            ("foo +\n  bar{\n  a=1}", "3:5: parse error: unexpected character inside braces: '1'"),
            ("\"é\" ]", "1:6: parse error: unexpected right bracket ']'"),
            ("sum(foo) by\n)", "2:2: parse error: unexpected right parenthesis ')'"),
            ("a +\n\n# comment\nrat(b)", "4:1: parse error: unknown function with name \"rat\""),
            ("foo offset NaN", "1:12: parse error: duration out of range"),
        ])
    func places(_ text: String, message: String) {
        #expect(message == (#expect(throws: ParseError.self) { try parse(text) })?.description)
    }

    @Test func `what is experimental needs its switch`() throws {
        for (text, options) in [
            ("info(a)", ParserOptions(experimentalFunctions: true)),
            ("limitk(1, a)", .init(experimentalFunctions: true)),
            ("a[5m+1m]", .init(durationExpressions: true)), ("a offset (5m)", .init(durationExpressions: true)),
            ("a smoothed", .init(extendedRangeSelectors: true)), ("a + fill(0) b", .init(fillModifiers: true)),
        ] {
            #expect(throws: Never.self) { try PromQLParser.parse(text, options: options) }
            let error = #expect(throws: ParseError.self) {
                try PromQLParser.parse(text, options: ParserOptions(durationExpressions: false))
            }
            #expect(error?.category == .feature)
        }
    }

    @Test func `a selector for match and a metric are read without modifiers`() throws {
        #expect(
            try PromQLParser.parseSelector(#"up{job=~"a|b"}"#)
                == [Matcher("job", .matches, "a|b"), Matcher("__name__", equals: "up")])
        #expect(try PromQLParser.parseSelector("{}").isEmpty)
        #expect(throws: ParseError.self) { try PromQLParser.parseSelector("up offset 5m") }
        #expect(throws: ParseError.self) { try PromQLParser.parseSelector("up + down") }
        #expect(throws: ParseError.self) { try PromQLParser.parseSelector("1") }
        #expect(try PromQLParser.parseMetric(#"{"my.name", "a.b"="c"}"#) == ["__name__": "my.name", "a.b": "c"])
        #expect(try PromQLParser.parseMetric(#"sum{by="x"}"#) == ["__name__": "sum", "by": "x"])
        #expect(throws: ParseError.self) { try PromQLParser.parseMetric(#"a{b=~"c"}"#) }
    }

    @Test func `all selectors of an expression are found, in their order`() throws {
        let expression = try parse("sum(rate(a[5m])) / on (x) (b + max_over_time(c[1h:])) > topk(scalar(d), e)")
        #expect(expression.selectors.map(\.name) == ["a", "b", "c", "d", "e"])
    }
}
