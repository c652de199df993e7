import Glibc
package import Streams
import Transport
package import YAML

/// Appends each notification to a file as one line of JSON: Alertmanager's document for programs, with the notification's
/// id and time before it. The file is opened for each line, so it can be moved away at any time.
package struct FileSink: ConfigurableSink {
    package static let key = "file_configs"

    package struct Settings: Equatable, Sendable {
        var path: String
        /// 0: all.
        var alertsMax: Int
        /// Whether a line counts as accepted only when it is on the disk.
        var syncs: Bool
        var sendsResolved: Bool
    }

    private let settings: Settings

    package init(_ settings: Settings, _ context: SinkContext) { self.settings = settings }

    package var sendsResolved: Bool { settings.sendsResolved }

    package static func settings(_ node: Node, _ globals: SinkGlobals, _ diagnostics: Diagnostics) -> Settings? {
        let reader = MappingReader(node, "a file config", diagnostics)
        defer { reader.finish() }
        let path = reader.required("path", .path)
        let settings = Settings(
            path: path ?? "", alertsMax: reader.value("max_alerts", .integer(in: 0 ... .max), default: 0),
            syncs: reader.bool("sync", default: false), sendsResolved: reader.bool("send_resolved", default: true))
        return path == nil ? nil : settings
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let (path, syncs) = (settings.path, settings.syncs)
        let line = Self.line(notification, alertsMax: settings.alertsMax)
        try await BlockingWork.run { _ in Self.append(line, to: path, syncs: syncs) }
    }

    private static func line(_ notification: Notification, alertsMax: Int) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("id", .string(notification.id)), .init("time", .string(notification.time.rfc3339)),
        ]
        if case .object(let document) = AlertmanagerDocument.json(notification, alertsMax: alertsMax) {
            members += document
        }
        return JSONValue.object(members).bytes + [UInt8(ascii: "\n")]
    }

    /// Nil when the whole line is there; otherwise nothing of it is.
    private static func append(_ line: [UInt8], to path: String, syncs: Bool) -> DeliveryError? {
        guard !path.utf8.contains(0) else { return .refused(reason: "a file's name holds a zero byte") }
        // Never waiting for the other end of a pipe.
        let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0o640)
        guard file >= 0 else { return failure(path, errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .refused(reason: "can't write \(path): not a file")
        }
        // Two of Tocsin's own, or another program's.
        guard flock(file, LOCK_EX) == 0, fstat(file, &status) == 0 else { return failure(path, errno) }
        let size = status.st_size
        var bytes = line
        var last: UInt8 = 0
        if size > 0, pread(file, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") {
            // Someone was interrupted in the middle of a line.
            bytes.insert(UInt8(ascii: "\n"), at: 0)
        }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = count < 0 ? errno : ENOSPC
                // Half a line would make the next one unreadable too; when that fails as well, the next one begins anew.
                _ = ftruncate(file, size)
                return failure(path, code)
            }
            written += count
        }
        guard !syncs || fdatasync(file) == 0 else { return failure(path, errno) }
        return nil
    }

    /// What a person has to mend is refused; what may pass, such as a full disk, is tried again.
    private static func failure(_ path: String, _ code: Int32) -> DeliveryError {
        let reason = "can't write \(path): \(SystemError.text(code))"
        let lasting = [ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, EROFS, ENAMETOOLONG, ELOOP, ENXIO]
        return lasting.contains(code) ? .refused(reason: reason) : .unavailable(reason: reason, retryAfter: nil)
    }
}
