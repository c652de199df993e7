import Glibc
package import Streams

/// A secret that stands in the configuration, or in a file that is read at each use, so that it can be rotated.
package enum SecretText: Sendable, Hashable {
    case text(Secret)
    case file(String)

    package init(_ text: String) { self = .text(Secret(text)) }

    /// The secret as it is now; a file's without white space at its ends. Throws `.invalidRequest`, naming the file.
    package func read() throws(TransportError) -> Secret {
        switch self {
        case .text(let secret): secret
        case .file(let path): try Self.read(path)
        }
    }

    private static let fileBytesMax = 1 << 20

    private static func read(_ path: String) throws(TransportError) -> Secret {
        guard !path.utf8.contains(0) else { throw .invalidRequest(reason: "a file's name holds a zero byte") }
        // Not waiting for a pipe's other end, nor for anything else than a file.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .invalidRequest(reason: "can't read \(path): \(SystemError.text(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .invalidRequest(reason: "can't read \(path): not a file")
        }
        var bytes: [UInt8] = []
        while bytes.count <= fileBytesMax {
            let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        guard bytes.count <= fileBytesMax else {
            throw .invalidRequest(reason: "can't read \(path): longer than \(fileBytesMax) bytes")
        }
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
        let start = bytes.firstIndex { !blanks.contains($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? start
        guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
            throw .invalidRequest(reason: "can't read \(path): not UTF-8")
        }
        return Secret(text)
    }
}
