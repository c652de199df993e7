import CSQLite
import Glibc
import Streams

/// One connection to an SQLite database, used by one thread at a time.
///
/// SQLite's own interface rather than a library above it: those for Swift bring all of Foundation, 8 to 14 MB of resident
/// memory, and what is needed of them is these two types.
final class SQLiteDatabase {
    /// What SQLite said, in its words.
    struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        var code: Int32
        var description: String

        /// The file is no database, or is damaged.
        var isDamage: Bool { code & 0xFF == SQLITE_CORRUPT || code & 0xFF == SQLITE_NOTADB }
    }

    private let handle: OpaquePointer
    private var begin: SQLiteStatement?
    private var commit: SQLiteStatement?

    /// Opens a file, which is made, for its owner alone, when it isn't there and the connection may write.
    /// - Parameter patience: how long a lock that another program holds is waited for.
    init(path: String, readOnly: Bool = false, patience: Duration = .seconds(1)) throws(Failure) {
        if !readOnly {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            if descriptor >= 0 { close(descriptor) }
        }
        var opened: OpaquePointer?
        let flags = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let opened else {
            let failure = Self.failure(code, of: opened)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, Int32(clamping: patience.inMilliseconds))
    }

    // Statements that are still there keep the connection until they are gone.
    deinit { sqlite3_close_v2(handle) }

    private static func failure(_ code: Int32, of handle: OpaquePointer?) -> Failure {
        let text = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        return Failure(code: code, description: text.map { String(cString: $0) } ?? "SQLite error \(code)")
    }

    fileprivate func check(_ code: Int32) throws(Failure) {
        if code != SQLITE_OK { throw Self.failure(code, of: handle) }
    }

    /// Carries out statements without parameters and results.
    func execute(_ text: String) throws(Failure) {
        try check(sqlite3_exec(handle, text, nil, nil, nil))
    }

    func prepare(_ text: String) throws(Failure) -> SQLiteStatement {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        guard let statement else { throw Failure(code: SQLITE_MISUSE, description: "no statement") }
        return SQLiteStatement(statement, self)
    }

    /// The integer that a statement answers with; nil where it answers nothing.
    func integer(_ text: String) throws(Failure) -> Int64? {
        let statement = try prepare(text)
        defer { statement.reset() }
        return try statement.step() ? statement.integer(0) : nil
    }

    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Carries out a body as one transaction: all of it, or nothing.
    func transaction(_ body: () throws(Failure) -> Void) throws(Failure) {
        if begin == nil { begin = try prepare("BEGIN IMMEDIATE") }
        if commit == nil { commit = try prepare("COMMIT") }
        try begin?.run()
        do throws(Failure) {
            try body()
            try commit?.run()
        } catch {
            // Where SQLite has rolled back by itself there is nothing left to do.
            try? execute("ROLLBACK")
            throw error
        }
    }
}

/// A prepared statement of a database. Parameters count from 1, columns from 0.
final class SQLiteStatement {
    private let handle: OpaquePointer
    /// Outlives its statements, of which it keeps some.
    private unowned let database: SQLiteDatabase

    fileprivate init(_ handle: OpaquePointer, _ database: SQLiteDatabase) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ number: Int64, at place: Int32) throws(SQLiteDatabase.Failure) {
        try database.check(sqlite3_bind_int64(handle, place, number))
    }

    func bind(_ text: String, at place: Int32) throws(SQLiteDatabase.Failure) {
        var text = text
        let code = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { tc_bind_text(handle, place, $0.baseAddress, Int32($0.count)) }
        }
        try database.check(code)
    }

    func bind(_ bytes: [UInt8], at place: Int32) throws(SQLiteDatabase.Failure) {
        try database.check(bytes.withUnsafeBytes { tc_bind_blob(handle, place, $0.baseAddress, Int32($0.count)) })
    }

    /// Goes to the next row; false when there is none.
    func step() throws(SQLiteDatabase.Failure) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        try database.check(code)
        return false
    }

    /// Carries out a statement without results, which can then be used again.
    func run() throws(SQLiteDatabase.Failure) {
        defer { reset() }
        _ = try step()
    }

    func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func text(_ column: Int32) -> String {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}
