import Streams

/// Why an exposition was not taken. Nothing of it may be used.
package struct ExpositionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was wrong, for tests and counters.
    package enum Kind: String, Sendable, Equatable {
        case number, labels, metricName = "metric-name", timestamp, type, metadata, value, exemplar, eof, unit, encoding
        case syntax
        /// The content type is none that is read.
        case format
        /// A bound was reached: a line, a body or a number of samples is too long.
        case limit
    }

    package let kind: Kind
    /// The line, 1-based, on which the entry with the error begins; 0 where no line is to blame.
    package let line: Int
    package let reason: String

    package init(_ kind: Kind, line: Int, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = reason
    }

    package var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

/// Untrusted text as an error may show it: quoted, at most 48 bytes of it.
func excerpt(_ text: some StringProtocol) -> String {
    excerpt(bytes: text.utf8)
}

/// Untrusted bytes as an error may show them: quoted, at most 48 of them, what is not UTF-8 replaced.
func excerpt(bytes: some Collection<UInt8>) -> String {
    let head = bytes.prefix(48)
    return quoted(String(decoding: head, as: UTF8.self)) + (head.count < bytes.count ? "..." : "")
}
