internal import Templates

/// Checks the text of a label or an annotation of an alerting rule as a template.
enum RuleTemplateSyntax {
    /// What is wrong, and at which byte of the text; nil when it parses.
    static func problem(_ text: String) -> (message: String, offset: Int)? {
        do throws(TemplateError) {
            _ = try AnnotationTemplate(text, name: "rule")
            return nil
        } catch {
            return (error.message, error.byteOffset(in: text))
        }
    }
}
