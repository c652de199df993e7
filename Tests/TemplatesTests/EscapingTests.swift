import Foundation
import TestKit
import Testing

@testable import Templates

@Suite struct EscapingTests {
    private static let hostile = [
        "<script>alert(1)</script>", "\" onmouseover=\"alert(1)", "' onmouseover='alert(1)", "javascript:alert(1)",
        "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,<script>1</script>", "vbscript:x",
        "</script><b>",
        "</style><b>", "--><b>", "\\\"", "`${alert(1)}`", "expression(alert(1))", "\u{2028}alert(1)", "*/alert(1)/*",
        "a\0b", "]]>", "&quot;><b>", "url(javascript:x)", "};alert(1);{",
    ]

    private func page(_ text: String, _ value: String) throws -> String {
        var set = TemplateSet(functions: FunctionTables.notifications)
        try set.add(text, name: "t")
        let escaped = try set.escaped("t")
        return try Executor(trees: escaped.trees, functions: escaped.functions).run("t", on: .string(value))
    }

    /// What stands around the value stays as it was, and the value holds nothing that would end its place.
    @Test(arguments: [
        ("<p>{{ . }}</p>", "<"), ("<a title=\"{{ . }}\">", "\""), ("<a title='{{ . }}'>", "'"),
        ("<a title={{ . }}>", " >\"'=`"), ("<a href=\"{{ . }}\">", "\""), ("<a href=\"/x?q={{ . }}\">", "\"<&"),
        ("<script>x = {{ . }};</script>", "<"), ("<script>x = \"{{ . }}\";</script>", "\"<\n"),
        ("<script>x = '{{ . }}';</script>", "'<\n"), ("<script>x = `{{ . }}`;</script>", "`<$"),
        ("<a onclick=\"f({{ . }})\">", "\""), ("<a onclick=\"f('{{ . }}')\">", "\"'"),
        ("<p style=\"color: {{ . }}\">", "\";<(&"), ("<style>p { color: {{ . }} }</style>", "<};("),
        ("<style>p { background: url('{{ . }}') }</style>", "'<"), ("<title>{{ . }}</title>", "<"),
        ("<textarea>{{ . }}</textarea>", "<"), ("<!-- {{ . }} -->", "<"), ("<img srcset=\"{{ . }}\">", "\""),
    ])
    func `no value leaves its place in the page`(template: String, forbidden: String) throws {
        let parts = template.components(separatedBy: "{{ . }}")
        for value in Self.hostile {
            let output = try page(template, value)
            if template.hasPrefix("<!--") {
                #expect(output == "")
                continue
            }
            #expect(output.hasPrefix(parts[0]) && output.hasSuffix(parts[1]), "\(output)")
            var inner = output.dropFirst(parts[0].count).dropLast(parts[1].count)
            // A string in a script brings its own quotes.
            if template.contains("x = {{") { inner = inner.dropFirst().dropLast() }
            #expect(!inner.unicodeScalars.contains { forbidden.unicodeScalars.contains($0) }, "\(output)")
        }
    }

    @Test(arguments: hostile)
    func `no link runs a script`(value: String) throws {
        let output = try page("<a href=\"{{ . }}\">", value).lowercased()
        for scheme in ["javascript:", "data:", "vbscript:"] {
            #expect(!output.contains("\"\(scheme)") && !output.contains("\" \(scheme)"))
        }
    }

    @Test(arguments: [
        "<a href=\"{{ . }}", "{{ if . }}<script>{{ end }}{{ . }}", "<a {{ if . }}href='{{ end }}x'>",
        "{{ range . }}<a title=\"{{ end }}", "<a b=`{{ . }}`>", "<script>/[{{ . }}/</script>",
        "{{ template \"none\" }}",
        "{{ . | html | print }}", "<a\"{{ . }}>",
    ])
    func `a page whose contexts can't be told is refused before anything is written`(template: String) {
        #expect(throws: TemplateError.self) { try page(template, "x") }
    }
}
