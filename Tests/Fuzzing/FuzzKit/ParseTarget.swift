import PromQL
import Streams

/// The readers of expressions, selectors, metrics, series notation and test scripts: what is taken prints as a text
/// that is read as the same again, and places lie inside of the text.
package struct ParseTarget: FuzzTarget {
    package let name = "parse"

    package init() {}

    package func check(_ input: [UInt8]) async throws(FuzzFinding) {
        let text = String(decoding: input, as: UTF8.self)
        for options in [ParserOptions.everything, .standard] { try checkExpression(text, options) }
        if let matchers = try? PromQLParser.parseSelector(text), matchers.isEmpty, text.isEmpty {
            throw FuzzFinding("a selector was read from nothing")
        }
        _ = try? PromQLParser.parseMetric(text)
        _ = try? PromQLParser.parseSeriesNotation(text)
        _ = try? PromQLScript("eval instant at 5m \(text)\n  {} 1\n")
        _ = try? PromQLScript(text)
    }

    private func checkExpression(_ text: String, _ options: ParserOptions) throws(FuzzFinding) {
        let expression: Expression
        do throws(ParseError) {
            expression = try PromQLParser.parse(text, options: options)
        } catch {
            try checkPlace(error.place, text)
            return
        }
        let printed = expression.description
        try checkAgain(printed, printed, options)
        try checkAgain(expression.prettified(), printed, options)
        _ = try? expression.resolvingDurations(step: .seconds(15), range: .seconds(3600))
        _ = ExpressionProfile(expression)
        var stray: Place?
        expression.walk { part in
            if part.place.start < 0 || part.place.end > text.utf8.count || part.place.start > part.place.end {
                stray = part.place
            }
        }
        if let stray { throw FuzzFinding("a part lies at \(stray.start)..<\(stray.end), outside of the text") }
    }

    private func checkPlace(_ place: Place, _ text: String) throws(FuzzFinding) {
        if place.start < 0 || place.start > text.utf8.count {
            throw FuzzFinding("the error lies at \(place.start), outside of the text")
        }
    }

    private func checkAgain(_ text: String, _ printed: String, _ options: ParserOptions) throws(FuzzFinding) {
        let again: Expression
        do throws(ParseError) {
            again = try PromQLParser.parse(text, options: options)
        } catch {
            // Printing spells out what the text left to precedence, so that the tree may have grown too high.
            if error.category == .other { return }
            throw FuzzFinding("printed as \(text), which is refused: \(error)")
        }
        if withoutPlus(again.description) != withoutPlus(printed) {
            throw FuzzFinding("printed as \(printed), and then as \(again)")
        }
    }

    /// As Prometheus has it, `Inf` prints as `+Inf`, and in front of a power that plus is read as an operator.
    private func withoutPlus(_ text: String) -> String {
        var text = text[...]
        var result = ""
        while let place = text.firstRange(of: "+Inf")?.lowerBound {
            result += text[..<place]
            while result.last == "+" { result.removeLast() }
            text = text[place...].dropFirst()
        }
        return result + text
    }
}
