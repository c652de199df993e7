/// Numbers as Go's yaml packages and Prometheus's size units read them.
enum Number {
    static func integer(_ text: String) -> Int? {
        if text.hasPrefix("_") { return nil }
        var digits = text.filter { $0 != "_" }[...]
        let negative = digits.first == "-"
        if negative || digits.first == "+" { digits = digits.dropFirst() }
        var radix = 10
        if digits.first == "0", digits.count > 1 {
            radix = 8
            digits = digits.dropFirst()
            let prefixes: [Character: Int] = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2]
            if let first = digits.first, let prefix = prefixes[first] {
                radix = prefix
                digits = digits.dropFirst()
            }
        }
        guard let first = digits.first, first != "-", first != "+" else { return nil }
        if let value = Int((negative ? "-" : "") + digits, radix: radix) { return value }
        guard let value = decimal(text), value == value.rounded(), abs(value) < 9e15 else { return nil }
        return Int(value)
    }

    static func double(_ text: String) -> Double? {
        switch text {
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .infinity
        case "-.inf", "-.Inf", "-.INF": return -.infinity
        case ".nan", ".NaN", ".NAN": return .nan
        default: break
        }
        return decimal(text) ?? prefixed(text)
    }

    /// `1.5`, `.5`, `1e-3`.
    private static func decimal(_ text: String) -> Double? {
        let digits = text.filter { $0 != "_" }
        let isDecimal = digits.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || "+-.eE".utf8.contains(byte)
        }
        return isDecimal ? Double(digits) : nil
    }

    /// `0x10` and such.
    private static func prefixed(_ text: String) -> Double? {
        let lower = text.lowercased()
        guard lower.contains("0x") || lower.contains("0o") || lower.contains("0b") else { return nil }
        return integer(text).map(Double.init)
    }

    /// `1GB512MB`, `1.5MiB`, `0`.
    static func bytes(_ text: String) -> Int? {
        if text == "0" { return 0 }
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard !number.isEmpty, let value = Double(number), let factor = factor(unit) else { return nil }
            total += value * factor
        }
        return total < 9e18 ? Int(total) : nil
    }

    private static func factor(_ unit: Substring) -> Double? {
        if unit == "B" { return 1 }
        let powers: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60]
        guard let first = unit.first, let power = powers[first], ["B", "iB"].contains(unit.dropFirst()) else {
            return nil
        }
        return Double(1 << power)
    }
}
