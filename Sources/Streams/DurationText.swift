/// Durations as Prometheus writes them: `1h30m`, `500ms`, `0`. Units in falling order, each once; a year has 365 days, a
/// week 7, a day 24 hours.
extension Duration {
    package struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
        package let text: String
        /// Well-formed, and longer than 64 bits of nanoseconds hold (about 292 years).
        package let isTooLong: Bool
        package init(text: String, isTooLong: Bool) {
            self.text = text
            self.isTooLong = isTooLong
        }

        package var description: String {
            isTooLong
                ? "duration \(quoted(text)) is too long"
                : "\(quoted(text)) is no duration; write one such as 30s, 5m or 1h30m"
        }
    }

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]

    /// As `model.ParseDuration` of Prometheus's common library.
    package static func parse(prometheus text: String) throws(TextError) -> Duration {
        if text == "0" { return .zero }
        let malformed = TextError(text: text, isTooLong: false)
        let tooLong = TextError(text: text, isTooLong: true)
        var rest = Substring(text)
        var milliseconds: Int64 = 0
        var unit = 0
        guard !rest.isEmpty else { throw malformed }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard !digits.isEmpty, let found = units[unit...].firstIndex(where: { $0.name == name }) else {
                throw malformed
            }
            unit = found + 1
            guard let count = Int64(digits) else { throw tooLong }
            let (part, overflow) = count.multipliedReportingOverflow(by: units[found].milliseconds)
            let (sum, overflowed) = milliseconds.addingReportingOverflow(part)
            guard !overflow, !overflowed, sum <= Int64.max / 1_000_000 else { throw tooLong }
            milliseconds = sum
        }
        return .milliseconds(milliseconds)
    }

    /// As `model.Duration.String`: whole milliseconds; years and weeks only where nothing is left over, so `90m` is
    /// `1h30m`, 8 days are `8d` and a year and an hour are `365d1h`.
    package var prometheusText: String {
        var rest = wholeMilliseconds
        guard rest != 0 else { return "0s" }
        var text = rest < 0 ? "-" : ""
        rest = abs(rest)
        for (name, milliseconds) in Self.units {
            let isExact = name == "y" || name == "w"
            if isExact, rest % milliseconds != 0 { continue }
            if rest >= milliseconds {
                text += "\(rest / milliseconds)\(name)"
                rest %= milliseconds
            }
        }
        return text
    }
}
