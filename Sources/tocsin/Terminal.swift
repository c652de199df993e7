import Glibc

/// What may be written to a terminal, and how it looks there.
struct Terminal: Sendable {
    enum Style: String, Sendable {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case cyan = "36"
        case bold = "1"
        case dim = "2"
    }

    /// Standard output is a terminal, and the user has not said that colours are unwelcome (https://no-color.org).
    let hasColours: Bool

    init(descriptor: Int32 = STDOUT_FILENO) {
        let isUnwelcome = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? false
        hasColours = isatty(descriptor) == 1 && !isUnwelcome && !isDumb
    }

    func styled(_ text: String, _ styles: Style...) -> String {
        guard hasColours, !styles.isEmpty else { return text }
        return "\u{1B}[\(styles.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
    }

    /// Text from elsewhere as one line that can't command the terminal: control characters become blanks.
    static func plain(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl =
                scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
            if !isControl {
                result.append(scalar)
            } else if result.last != " " {
                result.append(" ")
            }
        }
        return String(result)
    }
}

/// Writes a line of a command's result, at once. Ends the program where the reader has gone, as after `| head`.
func standardOutput(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    var place = 0
    while place < bytes.count {
        let count = bytes[place...].withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count > 0 {
            place += count
        } else if errno != EINTR {
            Glibc.exit(errno == EPIPE ? 0 : 1)
        }
    }
}
