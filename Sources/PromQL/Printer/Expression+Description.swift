import Streams

/// The canonical form on one line, as Prometheus prints expressions: parsing it gives an equal expression.
extension Expression: CustomStringConvertible {
    package var description: String {
        var text = ""
        write(to: &text)
        return text
    }

    func write(to text: inout String) {
        switch self {
        case .number(let node): text += node.description
        case .string(let node): text += quoted(node.value)
        case .vectorSelector(let node): text += node.description
        case .matrixSelector(let node): text += node.description
        case .subquery(let node):
            node.inner.write(to: &text)
            text += node.suffix
        case .unary(let node):
            text += node.sign.rawValue
            node.operand.write(to: &text)
        case .binary(let node):
            node.left.write(to: &text)
            text += " \(node.operatorText) "
            node.right.write(to: &text)
        case .aggregation(let node):
            text += node.head
            text += "("
            if let parameter = node.parameter {
                parameter.write(to: &text)
                text += ", "
            }
            node.inner.write(to: &text)
            text += ")"
        case .call(let node):
            text += node.function.name
            text += "("
            for (index, argument) in node.arguments.enumerated() {
                if index > 0 { text += ", " }
                argument.write(to: &text)
            }
            text += ")"
        case .parenthesized(let node):
            text += "("
            node.inner.write(to: &text)
            text += ")"
        }
    }
}

extension NumberLiteral: CustomStringConvertible {
    package var description: String {
        guard isDuration else { return formatFloat(value, .fixed) }
        let nanoseconds = value.magnitude * 1e9
        let duration = nanoseconds < 0x1p63 ? Duration.nanoseconds(Int64(nanoseconds)) : .nanoseconds(Int64.max)
        return (value < 0 ? "-" : "") + duration.prometheusText
    }
}

extension VectorSelector: CustomStringConvertible {
    package var description: String { series + timeText + extent.text + offset.offsetText }

    /// Name and matchers without modifiers.
    var series: String {
        let shown = matchers.filter {
            $0.name != LabelSet.metricName || $0.op != .equal || $0.value != name || name.isEmpty
        }
        if shown.isEmpty, !name.isEmpty { return name }
        if shown.isEmpty { return "" }
        let texts = shown.map(\.description).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return name + "{" + texts.joined(separator: ",") + "}"
    }

    fileprivate var timeText: String { at?.text ?? "" }
}

extension MatrixSelector: CustomStringConvertible {
    package var description: String {
        selector.series + "[\(range)]" + selector.extent.text + selector.timeText + selector.offset.offsetText
    }
}

extension Subquery {
    /// `[range:step] @ time offset duration`
    var suffix: String {
        "[\(range):\(step.map(\.description) ?? "")]" + (at?.text ?? "") + offset.offsetText
    }
}

extension AtModifier {
    fileprivate var text: String {
        switch self {
        case .timestamp(let time): " @ " + formatFloat(time.seconds, .fixed, precision: 3)
        case .start: " @ start()"
        case .end: " @ end()"
        }
    }
}

extension SelectorExtent {
    fileprivate var text: String {
        switch self {
        case .samples: ""
        case .anchored: " anchored"
        case .smoothed: " smoothed"
        }
    }
}

extension Aggregation {
    /// `op by (labels) `, up to the parenthesis.
    var head: String {
        if isWithout { return "\(op.rawValue) without (\(labelList(grouping))) " }
        return grouping.isEmpty ? op.rawValue : "\(op.rawValue) by (\(labelList(grouping))) "
    }
}

extension BinaryExpression {
    /// The operator with its modifiers.
    var operatorText: String {
        op.rawValue + (returnsBool ? " bool" : "") + (matching?.text ?? "")
    }
}

extension VectorMatching {
    fileprivate var text: String {
        var text = ""
        let isGrouped = cardinality == .manyToOne || cardinality == .oneToMany
        if isOn || !labels.isEmpty || isGrouped { text += " \(isOn ? "on" : "ignoring") (\(labelList(labels)))" }
        if isGrouped { text += " group_\(cardinality == .manyToOne ? "left" : "right") (\(labelList(include)))" }
        if let fillLeft, let fillRight, fillLeft == fillRight {
            return text + " fill (\(formatFloat(fillLeft, .general)))"
        }
        if let fillLeft { text += " fill_left (\(formatFloat(fillLeft, .general)))" }
        if let fillRight { text += " fill_right (\(formatFloat(fillRight, .general)))" }
        return text
    }
}

private func labelList(_ labels: [String]) -> String {
    labels.map { LabelSet.isLegacyLabelName($0) ? $0 : quoted($0) }.joined(separator: ", ")
}

// MARK: - Durations

extension DurationValue: CustomStringConvertible {
    package var description: String {
        switch self {
        case .fixed(let duration): duration.prometheusText
        case .computed(let expression): expression.description
        }
    }

    /// ` offset duration`, nothing for zero. Arithmetic is put in parentheses: without them an offset ends before the
    /// first operator.
    fileprivate var offsetText: String {
        if case .computed(.binary) = self { return " offset (\(self))" }
        return self == .zero ? "" : " offset \(self)"
    }
}

extension DurationExpression: CustomStringConvertible {
    package var description: String {
        switch self {
        case .literal(let literal): literal.description
        case .step: "step()"
        case .range: "range()"
        case .sign(.minus, let operand, _): "-\(operand)"
        case .sign(.plus, let operand, _): operand.description
        case .binary(let op, let left, let right, _): "\(left) \(op.rawValue) \(right)"
        case .minimum(let first, let second, _): "min_of(\(first), \(second))"
        case .maximum(let first, let second, _): "max_of(\(first), \(second))"
        case .parenthesized(let inner, _): "(\(inner))"
        }
    }
}
