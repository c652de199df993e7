package import YAML

/// One thing that a test of rules found to be otherwise than expected.
package struct RuleTestFailure: Sendable, CustomStringConvertible {
    package var location: SourceLocation
    /// What was looked at, and when: `alert InstanceDown at 5m`.
    package var subject: String
    /// A line each: what is missing, what is there instead.
    package var details: [String]

    init(_ location: SourceLocation, _ subject: String, _ details: [String]) {
        self.location = location
        self.subject = subject
        self.details = details
    }

    package var description: String {
        (["\(location): \(subject)"] + details.map { "    " + $0 }).joined(separator: "\n")
    }
}

/// What became of one test.
package struct RuleTestResult: Sendable {
    package var title: String
    package var location: SourceLocation
    /// How many alerts and expressions it looks at.
    package var checkCount: Int
    package var failures: [RuleTestFailure]
    /// All samples at the end, where they were asked for: a line a series.
    package var dump: [String]
    package var duration: Duration

    package var hasPassed: Bool { failures.isEmpty }
}

/// What became of one file of tests.
package struct RuleTestReport: Sendable {
    package var path: String
    /// What is wrong with the file or with a rule file that it names; then no test was run.
    package var errors: [ConfigError]
    /// What is worth knowing and no error.
    package var notices: [ConfigNotice]
    package var results: [RuleTestResult]

    package var hasPassed: Bool { errors.isEmpty && results.allSatisfy(\.hasPassed) }
}
