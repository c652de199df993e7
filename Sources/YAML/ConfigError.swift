internal import Streams

/// One thing that is wrong in a user's file, and where.
package struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    package let location: SourceLocation
    package let problem: Problem

    package init(_ location: SourceLocation, _ problem: Problem) {
        self.location = location
        self.problem = problem
    }

    /// What is wrong. Texts never hold a secret, nor a value that came from the environment.
    package enum Problem: Hashable, Sendable {
        /// No YAML, or YAML that is refused.
        case syntax(String)
        /// A bound was reached; says which.
        case limit(String)
        case unreadable(String)
        case unsetVariable(String)
        case duplicateKey(String, firstLine: Int)
        case unknownKey(String, in: String, nearest: String?)
        case missingKey(String, in: String)
        /// The key belongs to the schema and does nothing here yet.
        case notSupportedYet(String)
        /// Another shape or type of value: both texts say what it is, with an article.
        case expected(String, found: String)
        /// A value that has the right type and is wrong.
        case invalid(String)
        /// Two parts of the configuration that do not fit each other.
        case conflict(String)
        /// A PromQL expression, or a template of a rule or a template file, that does not parse. Its line may be shown: no
        /// secret stands there.
        case expression(String)
    }

    package var description: String { "\(location): \(problem)" }
}

extension ConfigError.Problem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .syntax(let text), .limit(let text), .unreadable(let text), .invalid(let text), .conflict(let text),
            .expression(let text):
            text
        case .unsetVariable(let name):
            "environment variable \(quoted(name)) is not set; set it, or write ${\(name):-default}"
        case .duplicateKey(let key, let line):
            "key \(quoted(key)) is already set in line \(line)"
        case .unknownKey(let key, let place, let nearest):
            "unknown key \(quoted(key)) in \(place)" + (nearest.map { "; did you mean \(quoted($0))?" } ?? "")
        case .missingKey(let key, let place):
            "key \(quoted(key)) is missing in \(place)"
        case .notSupportedYet(let what):
            "\(what) is not supported yet"
        case .expected(let expected, let found):
            "expected \(expected), found \(found)"
        }
    }
}

/// Everything that is wrong in a configuration, by file and line.
package struct ConfigErrors: Error, Equatable, Sendable, CustomStringConvertible {
    package let errors: [ConfigError]

    package init(_ errors: [ConfigError]) { self.errors = errors }

    /// One line for each error.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// Something worth telling about a configuration that is good.
package struct ConfigNotice: Hashable, Sendable, CustomStringConvertible {
    package let location: SourceLocation
    package let text: String

    package init(location: SourceLocation, text: String) {
        self.location = location
        self.text = text
    }

    package var description: String { "\(location): note: \(text)" }
}

/// Collects what is wrong while reading goes on, as a compiler does. Belongs to one loading; at most 1,000 are kept.
package final class Diagnostics {
    private static let errorsMax = 1000
    private var seen: Set<ConfigError> = []
    /// In the order of reading.
    package private(set) var notices: [ConfigNotice] = []

    package init() {}

    package var isEmpty: Bool { seen.isEmpty }

    /// Sorted by file, line and column; what was reported twice (an alias is read twice) stands there once.
    package var errors: [ConfigError] {
        seen.sorted { $0.location == $1.location ? "\($0.problem)" < "\($1.problem)" : $0.location < $1.location }
    }

    package func report(_ problem: ConfigError.Problem, at location: SourceLocation) {
        report(ConfigError(location, problem))
    }

    package func report(_ problem: ConfigError.Problem, at node: Node) { report(problem, at: node.location) }

    package func report(_ error: ConfigError) {
        if seen.count < Self.errorsMax { seen.insert(error) }
    }

    /// Tells of what changes nothing about the verdict.
    package func note(_ text: String, at node: Node) {
        if notices.count < Self.errorsMax { notices.append(ConfigNotice(location: node.location, text: text)) }
    }

    /// - Throws: all of them, when there are any.
    package func check() throws(ConfigErrors) {
        if !seen.isEmpty { throw ConfigErrors(errors) }
    }
}
