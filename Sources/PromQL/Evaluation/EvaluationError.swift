import Streams

/// Why a query gave no result; the texts are Prometheus's.
package enum EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// More samples than the settings allow would have to be held.
    case tooManySamples
    /// A range query with more steps than the settings allow.
    case tooManySteps(limit: Int)
    case canceled
    case timedOut
    /// The reader could not give the samples.
    case unavailable(String)
    /// What the expression asks for can't be done with this data, or not at all.
    case execution(String)

    package var description: String {
        switch self {
        case .tooManySamples: "query processing would load too many samples into memory in query execution"
        case .tooManySteps(let limit):
            "exceeded maximum resolution of \(Self.grouped(limit)) points per timeseries."
                + " Try decreasing the query resolution (?step=XX)"
        case .canceled: "query was canceled in expression evaluation"
        case .timedOut: "query timed out in expression evaluation"
        case .unavailable(let reason): "expanding series: \(reason)"
        case .execution(let message): message
        }
    }

    static let equalLabels = EvaluationError.execution("vector cannot contain metrics with the same labelset")

    /// `11,000`
    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0, digits[place - 1] != "-" {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }
}
