import Glibc
import NIOPosix
import Streams

/// Shows the mails that were caught, and keeps them in a folder: as they came, and their HTML for a browser.
struct MailBox: Sendable {
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    let folder: String
    let clock: any WallClock
    let terminal: Terminal

    func makeFolder() throws(Unusable) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw Unusable(description: "can't make the folder \(folder): \(String(cString: strerror(errno)))")
        }
    }

    func receive(_ mail: CatcherSession.Mail) async {
        let readable = ReadableMail(mail.source)
        let name = Self.name(readable.subject, at: clock.now())
        var shown = [
            terminal.styled("── mail ".padded(to: 72, with: "─"), .cyan),
            "From:    \(Terminal.plain(readable.from))", "To:      \(Terminal.plain(readable.to))",
            "Subject: \(terminal.styled(Terminal.plain(readable.subject), .bold))", "",
        ]
        let text = readable.text ?? "(no plain text)"
        shown += text.split(separator: "\n", omittingEmptySubsequences: false).map { Terminal.plain(String($0)) }
        while shown.last?.isEmpty == true { shown.removeLast() }
        do {
            // Files are written where waiting harms nobody.
            let path = try await NIOThreadPool.singleton.runIfActive { try keep(mail.source, readable.html, as: name) }
            shown += ["", terminal.styled("kept as \(path)", .dim)]
        } catch {
            shown += ["", terminal.styled("not kept: \(error)", .red)]
        }
        standardOutput(shown.joined(separator: "\n") + "\n")
    }

    /// The path of what a browser should open.
    private func keep(_ source: String, _ html: String?, as name: String) throws -> String {
        let place = try write(source, name, ".eml")
        guard let html else { return place }
        return try write(html, name, ".html")
    }

    /// Never over another file: mails of the same second and subject are numbered.
    private func write(_ text: String, _ name: String, _ suffix: String) throws -> String {
        for number in 1...1000 {
            let path = "\(folder)/\(name)\(number > 1 ? "-\(number)" : "")\(suffix)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor < 0, errno == EEXIST { continue }
            guard descriptor >= 0 else {
                throw Unusable(description: "can't write \(path): \(String(cString: strerror(errno)))")
            }
            defer { close(descriptor) }
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else {
                    throw Unusable(description: "can't write \(path): \(String(cString: strerror(errno)))")
                }
                rest = rest.dropFirst(count)
            }
            return path
        }
        throw Unusable(description: "a thousand mails have the name \(name)")
    }

    /// The time and what of the subject may stand in a file's name.
    static func name(_ subject: String, at now: Timestamp) -> String {
        let time = now.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }
        var words = ""
        for character in subject.lowercased().prefix(60) {
            if character.isASCII, character.isLetter || character.isNumber {
                words.append(character)
            } else if !words.isEmpty, words.last != "-" {
                words.append("-")
            }
        }
        while words.last == "-" { words.removeLast() }
        return words.isEmpty ? "\(time)" : "\(time)-\(words)"
    }
}
