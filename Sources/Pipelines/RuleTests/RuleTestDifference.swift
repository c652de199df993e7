internal import Streams

/// Tells two results apart: what is missing, what should not be there, and what is there otherwise; a line each, none
/// where they are the same. The order of the elements does not count.
enum RuleTestDifference {
    // MARK: alerts

    static func lines(expected: [RuleTest.Alert], found: [RuleTest.Alert]) -> [String] {
        var missing = expected
        var extra: [RuleTest.Alert] = []
        for alert in found {
            if let place = missing.firstIndex(of: alert) {
                missing.remove(at: place)
            } else {
                extra.append(alert)
            }
        }
        var lines: [String] = []
        for alert in missing.sorted(by: precedes) {
            if let place = extra.firstIndex(where: { $0.labels == alert.labels }) {
                lines += annotations(alert, extra.remove(at: place))
            } else {
                lines += ["missing:    \(text(alert.labels))"] + text(annotationsOf: alert)
            }
        }
        for alert in extra.sorted(by: precedes) {
            lines += ["unexpected: \(text(alert.labels))"] + text(annotationsOf: alert)
        }
        return lines
    }

    /// Both have the same labels.
    private static func annotations(_ expected: RuleTest.Alert, _ found: RuleTest.Alert) -> [String] {
        var lines = ["differs:    \(text(expected.labels))"]
        for name in Set(expected.annotations.keys).union(found.annotations.keys).sorted() {
            let (one, other) = (expected.annotations[name], found.annotations[name])
            if one.map(ByteText.init) == other.map(ByteText.init) { continue }
            lines.append("  \(name): expected \(one.map(quoted) ?? "none")")
            lines.append("  \(String(repeating: " ", count: name.count))       got \(other.map(quoted) ?? "none")")
        }
        return lines
    }

    private static func precedes(_ left: RuleTest.Alert, _ right: RuleTest.Alert) -> Bool {
        text(left.labels) < text(right.labels)
    }

    private static func text(_ labels: [String: String]) -> String {
        "{" + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }.joined(separator: ", ") + "}"
    }

    private static func text(annotationsOf alert: RuleTest.Alert) -> [String] {
        alert.annotations.sorted { $0.key < $1.key }.map { "  \($0.key): \(quoted($0.value))" }
    }

    // MARK: samples

    /// - Parameter isFuzzy: floats that are next to each other are the same.
    static func lines(expected: [RuleTestSample], found: [RuleTestSample], isFuzzy: Bool) -> [String] {
        var missing = expected
        var extra: [RuleTestSample] = []
        for sample in found {
            let place = missing.firstIndex { $0.labels == sample.labels && areEqual($0.value, sample.value, isFuzzy) }
            if let place {
                missing.remove(at: place)
            } else {
                extra.append(sample)
            }
        }
        var lines: [String] = []
        for sample in missing.sorted(by: precedes) {
            if let place = extra.firstIndex(where: { $0.labels == sample.labels }) {
                let other = extra.remove(at: place)
                lines.append("differs:    \(sample.labels): expected \(text(sample.value)), got \(text(other.value))")
            } else {
                lines.append("missing:    \(sample.labels) \(text(sample.value))")
            }
        }
        for sample in extra.sorted(by: precedes) { lines.append("unexpected: \(sample.labels) \(text(sample.value))") }
        return lines
    }

    private static func precedes(_ left: RuleTestSample, _ right: RuleTestSample) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels)
    }

    /// A NaN equals nothing, as for promtool.
    private static func areEqual(_ left: RuleTestSample.Value, _ right: RuleTestSample.Value, _ isFuzzy: Bool) -> Bool {
        switch (left, right) {
        case (.float(let left), .float(let right)):
            left == right || (isFuzzy && (left.nextDown == right || left.nextUp == right))
        case (.histogram(let left), .histogram(let right)): left == right
        default: false
        }
    }

    private static func text(_ value: RuleTestSample.Value) -> String {
        switch value {
        case .float(let value): formatFloat(value, .general)
        case .histogram(let text): text
        }
    }
}
