internal import Templates

/// Checks the text of a label or an annotation of an alerting rule as a template.
enum RuleTemplateSyntax {
    /// What is wrong, and at which byte of the text; nil when it parses.
    static func problem(_ text: String) -> (message: String, offset: Int)? {
        do throws(TemplateError) {
            _ = try AnnotationTemplate(text, name: "rule")
            return nil
        } catch {
            return (error.message, offset(of: error, in: Array(text.utf8)))
        }
    }

    private static func offset(of error: TemplateError, in text: [UInt8]) -> Int {
        var start = 0
        for _ in 1..<max(error.line, 1) {
            guard let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
            start = end + 1
        }
        if let column = error.column { return min(start + column, text.count) }
        // Only the line is known: its first action is the likeliest place.
        let line = text[start...].prefix { $0 != UInt8(ascii: "\n") }
        let action = line.indices.first { line[$0...].starts(with: [UInt8(ascii: "{"), UInt8(ascii: "{")]) }
        return action ?? start
    }
}
