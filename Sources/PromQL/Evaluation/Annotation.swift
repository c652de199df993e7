import Streams

/// What an evaluation has to say besides its result: worded as Prometheus words it.
package struct Annotation: Sendable, Hashable {
    package enum Severity: String, Sendable {
        case warning
        case info
    }

    package let severity: Severity
    /// Without the position.
    package let message: String
    /// The sub-expression that it is about.
    package let place: Place
    /// What is told besides once the position is known.
    var detail: AnnotationDetail?

    init(_ severity: Severity, _ message: String, at place: Place, detail: AnnotationDetail? = nil) {
        self.severity = severity
        self.message = message
        self.place = place
        self.detail = detail
    }

    /// The text with line and column inside `query`: `PromQL info: ... (1:6)`.
    package func text(in query: String) -> String {
        let prefix = "PromQL \(severity.rawValue): \(message)"
        return prefix + (detail?.text ?? "") + " (\(place.lineAndColumn(in: query)))"
    }
}

/// What is told of an annotation besides its message, over all times that it came up.
enum AnnotationDetail: Sendable, Hashable {
    case monotonicity(MonotonicityDetail)
    /// How often it came up.
    case occurrences(Int)

    fileprivate mutating func merge(_ other: AnnotationDetail) {
        switch (self, other) {
        case (.monotonicity(var detail), .monotonicity(let earlier)):
            detail.merge(earlier)
            self = .monotonicity(detail)
        case (.occurrences(let count), .occurrences(let earlier)): self = .occurrences(count + earlier)
        default: break
        }
    }

    fileprivate var text: String {
        switch self {
        case .monotonicity(let detail): ", \(detail)"
        case .occurrences(let count): count > 1 ? " (\(count) occurrences)" : ""
        }
    }
}

/// How far a classic histogram had to be mended, over all steps and series.
struct MonotonicityDetail: Sendable, Hashable, CustomStringConvertible {
    var earliest: Int64
    var latest: Int64
    var lowestBound: Double
    var highestBound: Double
    var differenceMax: Double
    var count = 1

    mutating func merge(_ other: MonotonicityDetail) {
        earliest = min(earliest, other.earliest)
        latest = max(latest, other.latest)
        lowestBound = min(lowestBound, other.lowestBound)
        highestBound = max(highestBound, other.highestBound)
        differenceMax = max(differenceMax, other.differenceMax)
        count += other.count
    }

    var description: String {
        "from buckets \(formatFloat(lowestBound, .general)) to \(formatFloat(highestBound, .general))"
            + ", with a max diff of \(formatFloat(differenceMax, .general, precision: 2))"
            + ", over \(count) samples from \(Self.date(earliest)) to \(Self.date(latest))"
    }

    /// RFC 3339 in UTC, to the second.
    private static func date(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        let days = seconds >= 0 ? seconds / 86_400 : -((86_399 - seconds) / 86_400)
        let rest = seconds - days * 86_400
        let date = CivilDate(daysSinceEpoch: days)
        func padded(_ number: Int64, _ width: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        return "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))"
            + "T\(padded(rest / 3600)):\(padded(rest / 60 % 60)):\(padded(rest % 60))Z"
    }
}

/// The annotations of one evaluation, each message once; of several with the same message the last place stays.
struct AnnotationSet {
    private(set) var annotations: [Annotation] = []

    mutating func add(_ annotation: Annotation) {
        guard let place = annotations.firstIndex(where: { $0.message == annotation.message }) else {
            annotations.append(annotation)
            return
        }
        var merged = annotation
        if let earlier = annotations[place].detail { merged.detail?.merge(earlier) }
        annotations[place] = merged
    }

    mutating func add(_ notes: StepNotes) {
        for note in notes.notes { if let note { add(note) } }
    }
}

/// What a binary operator tells: at each step only the last thing.
struct StepNotes {
    private(set) var notes: [Annotation?]

    init(steps: Int) { notes = Array(repeating: nil, count: steps) }

    mutating func add(_ note: Annotation?, _ step: Int) {
        if let note { notes[step] = note }
    }
}

extension Annotation {
    static func invalidQuantile(_ value: Double, at place: Place) -> Annotation {
        Annotation(
            .warning, "quantile value should be between 0 and 1, got \(formatFloat(value, .general))", at: place)
    }

    static func invalidRatio(_ value: Double, cappedTo bound: Double, at place: Place) -> Annotation {
        let shown = "got \(formatFloat(value, .general)), capping to \(formatFloat(bound, .general))"
        return Annotation(.warning, "ratio value should be between -1 and 1, \(shown)", at: place)
    }

    static func badBucketLabel(_ value: String, metric: String, at place: Place) -> Annotation {
        let message = "bucket label \"le\" is missing or has a malformed value of \(quoted(value))"
        return Annotation(.warning, message + named(metric), at: place)
    }

    static func sortInRangeQuery(at place: Place) -> Annotation {
        let message = "sort is ineffective for range queries since results are always ordered by labels"
        return Annotation(.warning, message, at: place)
    }

    static func possibleNonCounter(_ metric: String, at place: Place) -> Annotation {
        let message = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"
        return Annotation(.info, "\(message) \(quoted(metric))", at: place)
    }

    static func possibleNonCounterType(_ metric: String, type: String, at place: Place) -> Annotation {
        let message = "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\""
        return Annotation(.info, "\(message), got \(quoted(type)): \(quoted(metric))", at: place)
    }

    static func forcedMonotonicity(metric: String, _ detail: MonotonicityDetail, at place: Place) -> Annotation {
        let message =
            "input to histogram_quantile needed to be fixed for monotonicity (see "
            + "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
        return Annotation(.info, message + named(metric), at: place, detail: .monotonicity(detail))
    }

    static func named(_ metric: String) -> String {
        metric.isEmpty ? "" : " for metric name \(quoted(metric))"
    }
}

extension Place {
    /// Where it begins in the text: `line:column`, both from 1, columns in bytes.
    fileprivate func lineAndColumn(in text: String) -> String {
        guard start >= 0, start <= text.utf8.count else { return "invalid position" }
        var line = 1
        var lineStart = 0
        for (index, byte) in text.utf8.prefix(start).enumerated() where byte == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return "\(line):\(start - lineStart + 1)"
    }
}
