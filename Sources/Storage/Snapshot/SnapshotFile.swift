import Glibc
import Synchronization

/// Why a snapshot can't be written or used.
package struct SnapshotFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    init(_ verb: String, _ path: String) {
        description = "can't \(verb) \(path): \(String(cString: strerror(errno)))"
    }
}

/// Carries out what blocks its thread, on a thread made for that, and returns when it is done.
package typealias Blocking = @Sendable (@escaping @Sendable () -> Void) async -> Void

/// A file that is open; its calls block, and come one after the other.
final class SnapshotFile: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Does one thing with files where it may block.
    static func run<Value: Sendable>(
        _ blocking: Blocking, _ work: @escaping @Sendable () throws(SnapshotFailure) -> Value
    ) async throws(SnapshotFailure) -> Value {
        let outcome = Outcome<Value>()
        await blocking {
            let result: Result<Value, SnapshotFailure>
            do throws(SnapshotFailure) { result = .success(try work()) } catch { result = .failure(error) }
            outcome.result.withLock { $0 = result }
        }
        guard let result = outcome.result.withLock({ $0 }) else { throw SnapshotFailure("the server is ending") }
        return try result.get()
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, SnapshotFailure>?>(nil)
    }

    // MARK: Writing

    /// Opens a file beside `path`, which `finish` puts in its place.
    static func create(_ path: String) throws(SnapshotFailure) -> SnapshotFile {
        let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SnapshotFailure("write", path) }
        return SnapshotFile(descriptor, path)
    }

    func write(_ bytes: [UInt8]) throws(SnapshotFailure) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { Glibc.write(descriptor, $0 + offset, bytes.count - offset) } ?? 0
            }
            if written < 0, errno == EINTR { continue }
            if written <= 0 { throw SnapshotFailure("write", path) }
            offset += written
        }
    }

    /// Waits until the disk has what was written.
    func sync() throws(SnapshotFailure) {
        guard fsync(descriptor) == 0 else { throw SnapshotFailure("write", path) }
    }

    /// Puts it in its place, for good.
    func finish() throws(SnapshotFailure) {
        try sync()
        guard rename(path + ".new", path) == 0 else { throw SnapshotFailure("write", path) }
        Self.syncFolder(of: path)
    }

    static func discard(_ path: String) { unlink(path + ".new") }

    // MARK: Reading

    /// Nil when there is none.
    static func openExisting(_ path: String) throws(SnapshotFailure) -> SnapshotFile? {
        discard(path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw SnapshotFailure("read", path)
        }
        return SnapshotFile(descriptor, path)
    }

    /// Fewer bytes than asked for at the end of the file only.
    func read(_ count: Int) throws(SnapshotFailure) -> [UInt8] {
        var size = stat()
        guard fstat(descriptor, &size) == 0 else { throw SnapshotFailure("read", path) }
        // What a damaged length asks for is not made room for.
        let room = min(count, max(0, Int(size.st_size) - Int(lseek(descriptor, 0, SEEK_CUR))))
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
            while filled < room {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, room - filled)
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                if got <= 0 { return }
                filled += got
            }
        }
        if failed { throw SnapshotFailure("read", path) }
        return bytes
    }

    // MARK: Removing

    /// Removes a snapshot, for good. None is no failure.
    static func remove(_ path: String) throws(SnapshotFailure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw SnapshotFailure("remove", path) }
        syncFolder(of: path)
    }

    /// Gives a snapshot that can't be used another name.
    static func setAside(_ path: String, as other: String) throws(SnapshotFailure) {
        guard rename(path, other) == 0 || errno == ENOENT else { throw SnapshotFailure("rename", path) }
        syncFolder(of: path)
    }

    /// What this can't do is left to the system: names reach the disk a little later then.
    private static func syncFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
