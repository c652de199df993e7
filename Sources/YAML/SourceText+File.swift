internal import Glibc
internal import Streams

extension SourceText {
    /// A path as the file means it: relative to the file's own folder, as the peers have it.
    package func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// Reads a file whole; `path` is what locations show.
    /// - Throws: when it cannot be read, is no regular file, or is refused by `init`.
    package convenience init(
        contentsOf path: String, sizeMax: Int = ParseLimits.standard.sizeBytesMax
    ) throws(ConfigError) {
        let bytes = try Self.read(path, sizeMax)
        try self.init(bytes, file: path, sizeMax: sizeMax)
    }

    private static func read(_ path: String, _ sizeMax: Int) throws(ConfigError) -> [UInt8] {
        let place = SourceLocation(file: path, line: 1, column: 1)
        // Not blocking: a named pipe must not hold the loading up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw ConfigError(place, .unreadable("cannot read the file: \(String(cString: strerror(errno)))"))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigError(place, .unreadable("cannot read the file: it is no regular file"))
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= sizeMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw ConfigError(place, .unreadable("cannot read the file: \(String(cString: strerror(errno)))"))
            }
            bytes += buffer[..<count]
        }
        throw ConfigError(place, .limit("the file is larger than \(sizeMax) bytes"))
    }
}
