internal import YAML

/// The results of rule tests as JUnit's XML, which build servers show: a suite a file, a case a test.
package struct JUnitReport {
    package let text: String

    package init(_ reports: [RuleTestReport]) {
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#, "<testsuites>"]
        for report in reports { lines += Self.suite(report) }
        text = (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private static func suite(_ report: RuleTestReport) -> [String] {
        let failures = report.results.count { !$0.hasPassed }
        let errors = report.errors.isEmpty ? 0 : 1
        let cases = report.results.count + errors
        let seconds = report.results.reduce(0) { $0 + $1.seconds }
        var lines = [
            "  <testsuite name=\(attribute(report.path)) tests=\"\(cases)\" failures=\"\(failures)\" "
                + "errors=\"\(errors)\" time=\"\(seconds)\">"
        ]
        for result in report.results { lines += testCase(result) }
        if !report.errors.isEmpty { lines += unreadable(report.errors.map(\.description)) }
        return lines + ["  </testsuite>"]
    }

    /// A case as well: many build servers look at nothing but cases, and a suite without any is green.
    private static func unreadable(_ errors: [String]) -> [String] {
        [
            #"    <testcase name="the file can be read" time="0.0">"#,
            "      <error message=\(attribute(errors.first ?? ""))>\(content(errors))</error>", "    </testcase>",
        ]
    }

    private static func testCase(_ result: RuleTestResult) -> [String] {
        let head = "    <testcase name=\(attribute(result.title)) time=\"\(result.seconds)\""
        if result.failures.isEmpty { return [head + "/>"] }
        let failures = result.failures.map { failure in
            "      <failure message=\(attribute(failure.subject))>\(content([failure.description]))</failure>"
        }
        return [head + ">"] + failures + ["    </testcase>"]
    }

    private static func attribute(_ text: String) -> String { "\"\(escaped(text, isAttribute: true))\"" }

    private static func content(_ lines: [String]) -> String {
        escaped(lines.joined(separator: "\n"), isAttribute: false)
    }

    /// What XML 1.0 has no form for becomes U+FFFD.
    private static func escaped(_ text: String, isAttribute: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result += isAttribute ? "&#\(scalar.value);" : String(scalar)
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension RuleTestResult {
    /// In whole milliseconds.
    fileprivate var seconds: Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000
    }
}
