package import Streams

/// A test of expressions as Prometheus's own: `load` series, `eval` a query, state what comes out.
///
/// The language is that of promql/promqltest in Prometheus 3.14.
package struct PromQLScript: Sendable {
    package enum Command: Sendable {
        /// Forget all samples.
        case clear
        case load(ScriptLoad)
        case evaluate(ScriptCase)
    }

    package let commands: [Command]

    package init(_ text: String) throws(ScriptError) {
        var reader = ScriptReader(text)
        var commands: [Command] = []
        while let command = try reader.nextCommand() { commands.append(command) }
        self.commands = commands
    }
}

/// What is wrong with a script, and in which line (from 1).
package struct ScriptError: Error, Sendable, Hashable, CustomStringConvertible {
    package let line: Int
    package let problem: String

    package var description: String { "line \(line): \(problem)" }
}

/// `load 5m`: series whose samples are one step apart, the first at the epoch.
package struct ScriptLoad: Sendable {
    package let step: Duration
    package let series: [SeriesNotation]
    /// Where a series has start timestamps (`series@st`): milliseconds after each value's own time, nil for none.
    package let startOffsets: [LabelSet: [Int64?]]
    /// `load_with_nhcb`: classic histograms become native ones besides.
    package let withCustomBuckets: Bool
    package let line: Int
}

/// `eval ...`: a query, when it is asked, and what must come out.
package struct ScriptCase: Sendable {
    package enum Time: Sendable {
        case instant(Timestamp)
        case range(from: Timestamp, through: Timestamp, step: Duration)
    }

    package let line: Int
    package let time: Time
    package let query: String
    package internal(set) var expectation = ScriptExpectation()
}

/// What an `eval` states of its result.
package struct ScriptExpectation: Sendable {
    /// How a message is checked.
    package enum Text: Sendable {
        case any
        case equal(String)
        case matching(RegularExpression)

        package func accepts(_ message: String) -> Bool {
            switch self {
            case .any: true
            case .equal(let text): message == text
            case .matching(let expression): expression.firstMatch(in: message) != nil
            }
        }
    }

    /// The query fails with that message.
    package internal(set) var failure: Text?
    package internal(set) var warnings: [Text] = []
    package internal(set) var infos: [Text] = []
    package internal(set) var forbidsWarnings = false
    package internal(set) var forbidsInfos = false
    /// The elements come in the order of the lines.
    package internal(set) var isOrdered = false
    package internal(set) var scalar: Double?
    package internal(set) var string: String?
    /// The result is a range vector whose n-th value stands at `from + n * step`.
    package internal(set) var rangeVector: (from: Timestamp, step: Duration)?
    package internal(set) var series: [SeriesNotation] = []
}
