/// The form with line breaks: what is longer than 100 characters is broken, two blanks a level, as `promtool` does it.
extension Expression {
    package func prettified() -> String { pretty(level: 0) }

    private static let lineMax = 100

    private func pretty(level: Int) -> String {
        let indent = String(repeating: "  ", count: level)
        let line = description
        let fits = line.utf8.count <= Self.lineMax
        switch self {
        case .number, .string, .vectorSelector, .matrixSelector: return indent + line
        case .subquery(let node):
            // Prometheus does not indent a subquery that fits.
            return fits ? line : node.inner.pretty(level: level) + node.suffix
        case .unary(let node):
            let inner = node.operand.pretty(level: level).drop { $0 == " " }
            return indent + node.sign.rawValue + inner
        case _ where fits: return indent + line
        case .binary(let node):
            return node.left.pretty(level: level + 1) + "\n" + indent + node.operatorText + "\n"
                + node.right.pretty(level: level + 1)
        case .aggregation(let node):
            let parameter = node.parameter.map { $0.pretty(level: level + 1) + ",\n" } ?? ""
            return indent + node.head + "(\n" + parameter + node.inner.pretty(level: level + 1) + "\n" + indent + ")"
        case .call(let node):
            let arguments = node.arguments.map { $0.pretty(level: level + 1) }.joined(separator: ",\n")
            return indent + node.function.name + "(\n" + arguments + "\n" + indent + ")"
        case .parenthesized(let node):
            return indent + "(\n" + node.inner.pretty(level: level + 1) + "\n" + indent + ")"
        }
    }
}
