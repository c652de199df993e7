/// Durations as Go and Prometheus write and read them. All are nanoseconds in 64 bits.
enum GoDuration {
    /// `time.Duration.String`: `1h2m3.5s`, `1.5ms`, `0s`.
    static func text(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let size = nanoseconds.magnitude
        switch size {
        case ..<1_000: return "\(sign)\(size)ns"
        case ..<1_000_000: return sign + decimal(size, unit: 1_000) + "µs"
        case ..<1_000_000_000: return sign + decimal(size, unit: 1_000_000) + "ms"
        default: break
        }
        let seconds = size / 1_000_000_000
        var text = decimal(size % 60_000_000_000, unit: 1_000_000_000) + "s"
        if seconds >= 60 { text = "\(seconds / 60 % 60)m" + text }
        if seconds >= 3600 { text = "\(seconds / 3600)h" + text }
        return sign + text
    }

    private static func decimal(_ number: UInt64, unit: UInt64) -> String {
        let fraction = number % unit
        guard fraction != 0 else { return String(number / unit) }
        var digits = String(unit + fraction).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(number / unit).\(digits)"
    }

    /// Prometheus's durations (`1h30m`, `1d`), in milliseconds: units from years to milliseconds, each once, falling.
    static func parse(_ text: String) -> Int64? {
        if text == "0" { return 0 }
        let units: [(name: String, milliseconds: Int64)] = [
            ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
            ("s", 1_000), ("ms", 1),
        ]
        var rest = Array(text.utf8)[...]
        var total: Int64 = 0
        var unit = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            let name = String(decoding: rest.prefix { (0x61...0x7A).contains($0) }, as: UTF8.self)
            guard let count = Int64(String(decoding: digits, as: UTF8.self)),
                let found = units.indices.first(where: { $0 >= unit && units[$0].name == name })
            else { return nil }
            let (part, overflows) = count.multipliedReportingOverflow(by: units[found].milliseconds)
            let (sum, overflowsToo) = total.addingReportingOverflow(part)
            guard !overflows, !overflowsToo, sum <= Int64.max / 1_000_000 else { return nil }
            total = sum
            unit = found + 1
            rest = rest.dropFirst(name.utf8.count)
        }
        return total
    }

    /// `1d 2h 3m 4s`, `12.3ms`: what humanizeDuration says of seconds.
    static func humanized(_ seconds: Double) -> String {
        if seconds.isNaN || seconds.isInfinite { return Humanize.significant(seconds) }
        if seconds == 0 { return Humanize.significant(seconds) + "s" }
        if abs(seconds) >= 1 {
            let sign = seconds < 0 ? "-" : ""
            let size = abs(seconds)
            guard size < 9e18 else { return sign + Humanize.significant(size) + "s" }
            let whole = Int64(size)
            let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
            if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(whole % 60)s" }
            if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(whole % 60)s" }
            if minutes != 0 { return "\(sign)\(minutes)m \(whole % 60)s" }
            return sign + Humanize.significant(size) + "s"
        }
        var value = seconds
        var prefix = ""
        for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where abs(value) < 1 {
            prefix = next
            value *= 1000
        }
        return Humanize.significant(value) + prefix + "s"
    }
}

/// Numbers for people.
enum Humanize {
    /// `%.4g`
    static func significant(_ value: Double) -> String { FloatText.format(value, verb: "g", precision: 4) }

    /// With SI prefixes: `1.235M`, `12.3m`.
    static func decimal(_ value: Double) -> String {
        if value == 0 || value.isNaN || value.isInfinite { return significant(value) }
        var value = value
        var prefix = ""
        if abs(value) >= 1 {
            for next in ["k", "M", "G", "T", "P", "E", "Z", "Y"] where abs(value) >= 1000 {
                prefix = next
                value /= 1000
            }
        } else {
            for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where abs(value) < 1 {
                prefix = next
                value *= 1000
            }
        }
        return significant(value) + prefix
    }

    /// With binary prefixes: `1.206ki`.
    static func binary(_ value: Double) -> String {
        if abs(value) <= 1 || value.isNaN || value.isInfinite { return significant(value) }
        var value = value
        var prefix = ""
        for next in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] where abs(value) >= 1024 {
            prefix = next
            value /= 1024
        }
        return significant(value) + prefix
    }
}
