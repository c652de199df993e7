import Glibc
import Streams
import Transport

/// An event of the alert stream as a line for people: when, what became of which alert, its labels, what it means.
struct AlertLine: Sendable {
    let terminal: Terminal

    func text(_ event: ServerSentEvent) -> String {
        let data: JSONValue
        do throws(JSONValue.SyntaxError) { data = try JSONValue(parsing: event.data.utf8) } catch {
            return Terminal.plain(event.data)
        }
        if event.type == "missed" { return missed(data) }
        let labels = Self.labels(data["labels"])
        let name = labels.first { $0.name == "alertname" }?.value ?? ""
        let severity = labels.first { $0.name == "severity" }?.value ?? ""
        let others = labels.filter { $0.name != "alertname" && $0.name != "severity" }
        let state = event.type.uppercased().padded(to: 8)
        var parts = [
            terminal.styled(Self.time(data["time"]?.string ?? ""), .dim),
            style(state, of: event.type, severity), terminal.styled(Terminal.plain(name), .bold),
        ]
        if !severity.isEmpty { parts.append(style(Terminal.plain(severity), of: "firing", severity)) }
        parts += others.map { "\(Terminal.plain($0.name))=\(Self.shown($0.value))" }
        if let summary = data["annotations"]?["summary"]?.string ?? data["annotations"]?["description"]?.string {
            parts.append("— " + Terminal.plain(summary))
        }
        return parts.joined(separator: " ")
    }

    private func missed(_ data: JSONValue) -> String {
        if case .integer(let count)? = data["count"] { return terminal.styled("\(count) events were missed", .yellow) }
        return terminal.styled("events were missed: the server has no memory of what came before", .yellow)
    }

    private func style(_ text: String, of type: String, _ severity: String) -> String {
        switch (type, severity) {
        case ("resolved", _): terminal.styled(text, .green)
        case ("inactive", _): terminal.styled(text, .dim)
        case (_, "critical"), (_, "page"), (_, "emergency"): terminal.styled(text, .red)
        case (_, "warning"): terminal.styled(text, .yellow)
        default: terminal.styled(text, .cyan)
        }
    }

    private static func labels(_ value: JSONValue?) -> [(name: String, value: String)] {
        guard case .object(let members)? = value else { return [] }
        return members.compactMap { member in member.value.string.map { (member.name, $0) } }
    }

    /// Quoted where it could be taken for more than one word.
    private static func shown(_ value: String) -> String {
        let isWord = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        return isWord ? value : quoted(value)
    }

    /// The user's own time, as `2026-11-22 13:05:07`.
    private static func time(_ text: String) -> String {
        guard let instant = Timestamp(rfc3339: text) else { return Terminal.plain(text) }
        var seconds = time_t(instant.milliseconds / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return text }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + " \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

extension String {
    /// With blanks, or another character, after it until it is `width` characters wide.
    func padded(to width: Int, with filler: String = " ") -> String {
        self + String(repeating: filler, count: max(0, width - count))
    }
}
