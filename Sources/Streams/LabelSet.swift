/// One name/value pair of a label set, told from others by its bytes, as Prometheus does.
package struct Label: Hashable, Sendable, Comparable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.value.hasSameBytes(as: right.value)
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.name.hasSameBytes(as: right.name)
            ? left.value.precedesInBytes(right.value) : left.name.precedesInBytes(right.name)
    }

    package func hash(into hasher: inout Hasher) {
        name.hashBytes(into: &hasher)
        value.hashBytes(into: &hasher)
    }
}

/// All name/value pairs of a series or an alert, `__name__` among them: sorted by name (by UTF-8 bytes), each name
/// once, no empty value, since a label with an empty value is the same as none (Prometheus's data model).
package struct LabelSet: Hashable, Sendable {
    private var labels: [Label]

    package static let metricName = "__name__"

    package init() { labels = [] }

    /// Sorts; of equal names the last one wins; empty values are left out.
    package init(_ labels: some Sequence<Label>) {
        self.labels = []
        var previous: [Label] = Array(labels)
        if !Self.isCanonical(previous) {
            var byName: [ByteText: String] = [:]
            for label in previous { byName[ByteText(label.name)] = label.value }
            previous = byName.filter { !$0.value.isEmpty }.map { Label($0.key.text, $0.value) }.sorted()
        }
        self.labels = previous
    }

    /// Takes labels that are sorted, unique and not empty already.
    package init(sorted labels: [Label]) {
        assert(Self.isCanonical(labels), "labels are not sorted, unique and non-empty")
        self.labels = labels
    }

    /// A set of annotations: like labels, but those without a value stay.
    package static func annotations(_ pairs: some Sequence<Label>) -> LabelSet {
        var result = LabelSet()
        let byName = Dictionary(pairs.map { (ByteText($0.name), $0.value) }) { _, last in last }
        result.labels = byName.map { Label($0.key.text, $0.value) }.sorted()
        return result
    }

    /// In order; for loops over many sets, which are slower over the set itself.
    package var elements: [Label] { labels }

    private static func isCanonical(_ labels: [Label]) -> Bool {
        for index in labels.indices {
            if labels[index].value.isEmpty { return false }
            if index > 0, !labels[index - 1].name.precedesInBytes(labels[index].name) { return false }
        }
        return true
    }

    /// The value of a label; an absent one is nil. Setting nil or "" removes it.
    package subscript(name: String) -> String? {
        get { index(of: name).map { labels[$0].value } }
        set {
            let place = labels.firstIndex { !$0.name.precedesInBytes(name) } ?? labels.endIndex
            let present = place < labels.endIndex && labels[place].name.hasSameBytes(as: name)
            switch (present, newValue ?? "") {
            case (true, ""): labels.remove(at: place)
            case (true, let value): labels[place].value = value
            case (false, ""): break
            case (false, let value): labels.insert(Label(name, value), at: place)
            }
        }
    }

    /// The metric's name, if there is one.
    package var name: String? { self[Self.metricName] }

    private func index(of name: String) -> Int? {
        // Label sets are short: a linear look beats a binary search on strings.
        labels.firstIndex { $0.name.hasSameBytes(as: name) }
    }

    /// The set without the named labels.
    package func removing(_ names: some Sequence<String>) -> LabelSet {
        let names = Set(names.map(ByteText.init))
        return LabelSet(sorted: labels.filter { !names.contains(ByteText($0.name)) })
    }

    /// The set with only the named labels.
    package func keeping(_ names: some Sequence<String>) -> LabelSet {
        let names = Set(names.map(ByteText.init))
        return LabelSet(sorted: labels.filter { names.contains(ByteText($0.name)) })
    }

    /// The set with the labels of `other` laid over it.
    package func merging(_ other: LabelSet) -> LabelSet {
        var result = self
        for label in other { result[label.name] = label.value }
        return result
    }

    /// FNV-1a over `name 0xFF value 0xFF`..., the fingerprint of Prometheus's common library: what Alertmanager's API
    /// and webhooks show for an alert, in hexadecimal.
    package var fingerprint: Fingerprint {
        var hash: UInt64 = 14_695_981_039_346_656_037
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        for label in labels {
            for byte in label.name.utf8 { add(byte) }
            add(0xFF)
            for byte in label.value.utf8 { add(byte) }
            add(0xFF)
        }
        return Fingerprint(rawValue: hash)
    }
}

extension LabelSet: RandomAccessCollection {
    package var startIndex: Int { labels.startIndex }
    package var endIndex: Int { labels.endIndex }
    package subscript(position: Int) -> Label { labels[position] }
}

extension LabelSet: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Label($0.0, $0.1) })
    }
}

extension LabelSet: CustomStringConvertible {
    /// `name{a="b"}`, as Prometheus prints a series; names outside of the classic alphabet are quoted.
    package var description: String {
        let metric = name ?? ""
        let plain = metric.isEmpty || LabelSet.isLegacyMetricName(metric)
        var parts = plain ? [] : [quoted(metric)]
        for label in labels where label.name != Self.metricName {
            let name = LabelSet.isLegacyLabelName(label.name) ? label.name : quoted(label.name)
            parts.append("\(name)=\(quoted(label.value))")
        }
        if parts.isEmpty { return metric.isEmpty ? "{}" : metric }
        return (plain ? metric : "") + "{" + parts.joined(separator: ", ") + "}"
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    package static func isLegacyMetricName(_ name: String) -> Bool { isName(name, colons: true) }
    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    package static func isLegacyLabelName(_ name: String) -> Bool { isName(name, colons: false) }

    private static func isName(_ name: String, colons: Bool) -> Bool {
        var first = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: ":") where colons: break
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !first: break
            default: return false
            }
            first = false
        }
        return !first
    }
}

/// Where a byte that is no UTF-8 is kept in a string: `\xff` in an expression is the scalar of `invalidByteBase` + 0xFF,
/// which no text that came in can hold unless it wrote just that private-use scalar.
package let invalidByteBase: UInt32 = 0x10_FF00

/// A string in double quotes with Go's escapes, as the peers print label values: what is not printable is escaped.
package func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{07}": result += "\\a"
        case "\u{08}": result += "\\b"
        case "\u{0B}": result += "\\v"
        case "\u{0C}": result += "\\f"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let hexadecimal = String(scalar.value, radix: 16)
            result += "\\x" + (hexadecimal.count < 2 ? "0" : "") + hexadecimal
        case _ where scalar.value < 0x7F || isPrintable(scalar): result.unicodeScalars.append(scalar)
        case _ where scalar.value >= invalidByteBase + 0x80:
            result += "\\x" + String(scalar.value - invalidByteBase, radix: 16)
        default:
            let hexadecimal = String(scalar.value, radix: 16)
            let width = scalar.value < 0x10000 ? 4 : 8
            result += (width == 4 ? "\\u" : "\\U") + String(repeating: "0", count: width - hexadecimal.count)
            result += hexadecimal
        }
    }
    return result + "\""
}

/// Letters, marks, numbers, punctuation and symbols, as Go's `unicode.IsPrint` has it.
private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
        false
    default: true
    }
}

/// What identifies an alert or a group: 64 bits, printed as 16 hexadecimal digits.
package struct Fingerprint: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
