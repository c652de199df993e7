package import Streams

/// Reads PromQL as of Prometheus 3.14. The text may be any; whatever it is, there is an expression or an error with its
/// place, and the stack is safe: what is nested deeper than `nestingMax` or is higher than `depthMax` is refused.
package enum PromQLParser {
    /// How deep parentheses, calls and signs may be nested.
    package static let nestingMax = 150
    /// How high the tree may be. A chain such as `a or b or c` is as high as it is long.
    package static let depthMax = 500

    /// An expression, type-checked.
    package static func parse(
        _ text: String, options: ParserOptions = .standard
    ) throws(ParseError) -> Expression {
        let bytes = Array(text.utf8)
        do throws(Problem) {
            var parser = ExpressionParser(bytes, options)
            let expression = try parser.wholeExpression()
            return try TypeCheck(bytes).check(expression)
        } catch {
            throw ParseError(error, in: bytes)
        }
    }

    /// A series selector, as the API's `match[]` has it: `name{label="value"}` without modifiers. That it does not take
    /// every series is for the caller to check.
    package static func parseSelector(_ text: String) throws(ParseError) -> [Matcher] {
        let bytes = Array(text.utf8)
        do throws(Problem) {
            var parser = ExpressionParser(bytes, .standard)
            return try parser.wholeSelector()
        } catch {
            throw ParseError(error, in: bytes)
        }
    }

    /// The labels of one series: `name{label="value"}`.
    package static func parseMetric(_ text: String) throws(ParseError) -> LabelSet {
        let bytes = Array(text.utf8)
        do throws(Problem) {
            var parser = ExpressionParser(bytes, .standard)
            return try parser.wholeMetric()
        } catch {
            throw ParseError(error, in: bytes)
        }
    }

    /// A line of series notation: `metric{a="b"} 1 2x3 _ stale {{sum:1}}`, as tests of rules load their series.
    package static func parseSeriesNotation(_ text: String) throws(ParseError) -> SeriesNotation {
        let bytes = Array(text.utf8)
        do throws(Problem) {
            var parser = SeriesNotationParser(bytes)
            return try parser.parse()
        } catch {
            throw ParseError(error, in: bytes)
        }
    }
}
