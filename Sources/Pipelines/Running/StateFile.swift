import Glibc
import Streams

/// One file in the data folder, replaced as a whole: whoever reads it sees the old content or the new one.
struct StateFile {
    let path: String

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Nil when there is none.
    func read() throws(Failure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw failure("read")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while true {
            var failed = false
            let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                failed = got < 0
                count = max(0, got)
            }
            if failed { throw failure("read") }
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
    }

    /// Returns once the content is on disk.
    func write(_ bytes: [UInt8]) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write") }
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { Glibc.write(descriptor, $0 + offset, bytes.count - offset) } ?? 0
            }
            if written < 0, errno == EINTR { continue }
            if written <= 0 {
                let error = failure("write")
                close(descriptor)
                throw error
            }
            offset += written
        }
        let synced = fsync(descriptor) == 0
        guard close(descriptor) == 0, synced, rename(temporary, path) == 0 else { throw failure("write") }
    }

    private func failure(_ verb: String) -> Failure {
        Failure(description: "can't \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
