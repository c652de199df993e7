import Glibc
import Streams
import Templates

/// The template files of one pipeline, read and parsed.
struct TemplateFiles: Sendable {
    /// Their texts, to see whether they changed.
    let texts: [String]
    let templates: NotificationTemplates

    struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    init(_ paths: [String], clock: any WallClock) throws {
        var files: [(name: String, text: String)] = []
        for path in paths {
            guard let bytes = try StateFile(path: path).read() else {
                throw Unreadable(description: "\(path): there is no such file")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Unreadable(description: "\(path): not UTF-8")
            }
            files.append((path, text))
        }
        texts = files.map(\.text)
        templates = try NotificationTemplates(files: files, clock: clock)
    }
}
