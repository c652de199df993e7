import Glibc

/// The folder in which state is kept over a restart; one server at a time has it.
struct DataFolder: ~Copyable {
    private let lock: Int32

    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    private init(locked: Int32) { lock = locked }

    /// Makes the folder where it is missing, and takes it for this process.
    static func take(_ path: String) throws(Unusable) -> DataFolder {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Unusable(description: "can't make the data folder \(path): \(String(cString: strerror(errno)))")
        }
        let lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw Unusable(description: "can't use the data folder \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw Unusable(description: "another server uses the data folder \(path); choose one by --data")
        }
        return DataFolder(locked: lock)
    }

    /// The system lets go of the lock with the descriptor, also when the process is killed.
    deinit { close(lock) }
}
