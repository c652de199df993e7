extension PlanGraph {
    /// The graph for Graphviz.
    package var dot: String {
        var lines = [
            "digraph tocsin {", "  rankdir=LR;", "  node [fontname=\"sans-serif\", style=filled, fillcolor=white];",
        ]
        for (index, pipeline) in pipelines.enumerated() {
            guard let pipeline else {
                lines += nodes(of: nil).map { "  " + dotNode($0) }
                continue
            }
            lines += ["  subgraph cluster_\(index) {", "    label=\(dotQuoted(pipeline));"]
            lines += nodes(of: pipeline).map { "    " + dotNode($0) }
            lines.append("  }")
        }
        lines += edges.map { "  \($0.from) -> \($0.to);" }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    /// The graph for Mermaid, as Markdown pages show it.
    package var mermaid: String {
        var lines = ["flowchart LR"]
        for (index, pipeline) in pipelines.enumerated() {
            guard let pipeline else {
                lines += nodes(of: nil).map { "  " + mermaidNode($0) }
                continue
            }
            lines.append("  subgraph p\(index) [\(mermaidQuoted(pipeline))]")
            lines += nodes(of: pipeline).map { "    " + mermaidNode($0) }
            lines.append("  end")
        }
        lines += edges.map { "  \($0.from) --> \($0.to)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// In the order of the plan, what all share first.
    private var pipelines: [String?] {
        var result: [String?] = [nil]
        for node in nodes where !result.contains(node.pipeline) { result.append(node.pipeline) }
        return result
    }

    private func nodes(of pipeline: String?) -> [Node] { nodes.filter { $0.pipeline == pipeline } }

    private func dotNode(_ node: Node) -> String {
        let text = dotQuoted(node.detail.isEmpty ? node.title : node.title + "\n" + node.detail)
        let shape =
            switch node.kind {
            case .source: "invhouse"
            case .store: "cylinder"
            case .window: "parallelogram"
            case .rule: "box"
            case .alerts: "hexagon"
            case .route: "diamond"
            case .receiver: "folder"
            case .sink: "house"
            }
        return "\(node.id) [shape=\(shape), label=\(text)];"
    }

    private func mermaidNode(_ node: Node) -> String {
        let detail = node.detail.isEmpty ? "" : "<br/>" + mermaidEscaped(node.detail)
        let text = "\"" + mermaidEscaped(node.title) + detail + "\""
        return switch node.kind {
        case .source: "\(node.id)>\(text)]"
        case .store: "\(node.id)[(\(text))]"
        case .window: "\(node.id)[/\(text)/]"
        case .rule: "\(node.id)[\(text)]"
        case .alerts: "\(node.id){{\(text)}}"
        case .route: "\(node.id){\(text)}"
        case .receiver: "\(node.id)([\(text)])"
        case .sink: "\(node.id)[[\(text)]]"
        }
    }

    private func dotQuoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    private func mermaidQuoted(_ text: String) -> String { "\"" + mermaidEscaped(text) + "\"" }

    private func mermaidEscaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "#quot;"
            case "#": result += "#35;"
            case "<": result += "#lt;"
            case ">": result += "#gt;"
            case "&": result += "#amp;"
            case "\n": result += " "
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
