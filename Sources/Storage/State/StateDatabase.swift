import Streams

/// The tables of `state.db`.
final class StateDatabase {
    static let version: Int64 = 1
    /// "Tocs": what `file` and others tell the format by.
    private static let applicationID = 0x546F_6373

    private let database: SQLiteDatabase
    private(set) var version: Int64
    private var puts: [StateTable: SQLiteStatement] = [:]
    private var removals: [StateTable: SQLiteStatement] = [:]

    init(path: String) throws(SQLiteDatabase.Failure) {
        database = try SQLiteDatabase(path: path)
        version = try database.integer("PRAGMA user_version") ?? 0
        if version > Self.version { return }
        try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        if version < Self.version { try migrate() }
        for table in StateTable.allCases {
            puts[table] = try database.prepare(
                "INSERT INTO \(table.rawValue) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
            removals[table] = try database.prepare("DELETE FROM \(table.rawValue) WHERE scope = ? AND key = ?")
        }
    }

    private func migrate() throws(SQLiteDatabase.Failure) {
        try database.transaction { () throws(SQLiteDatabase.Failure) in
            for table in StateTable.allCases {
                try database.execute(
                    """
                    CREATE TABLE \(table.rawValue) (
                        scope TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (scope, key)
                    ) WITHOUT ROWID
                    """)
            }
            try database.execute("CREATE TABLE run (saved_at INTEGER NOT NULL)")
            try database.execute("PRAGMA application_id = \(Self.applicationID)")
            try database.execute("PRAGMA user_version = \(Self.version)")
        }
        version = Self.version
    }

    func read() throws(SQLiteDatabase.Failure) -> StateTables {
        var tables = StateTables()
        for table in StateTable.allCases {
            let statement = try database.prepare("SELECT scope, key, value FROM \(table.rawValue)")
            while try statement.step() {
                tables.put(statement.bytes(2), for: statement.bytes(1), in: table, statement.text(0))
            }
        }
        return tables
    }

    func savedAt() throws(SQLiteDatabase.Failure) -> Timestamp? {
        try database.integer("SELECT saved_at FROM run").map { Timestamp(milliseconds: $0) }
    }

    /// Writes changes as one transaction.
    func write(_ changes: PendingState, savedAt: Timestamp?) throws(SQLiteDatabase.Failure) {
        try database.transaction { () throws(SQLiteDatabase.Failure) in
            for scope in changes.cleared {
                let statement = try database.prepare("DELETE FROM \(scope.table.rawValue) WHERE scope = ?")
                try statement.bind(scope.name, at: 1)
                try statement.run()
            }
            for (scope, rows) in changes.rows {
                for (key, value) in rows { try write(scope, key, value) }
            }
            if let savedAt {
                try database.execute("DELETE FROM run; INSERT INTO run VALUES (\(savedAt.milliseconds))")
            }
        }
    }

    private func write(
        _ scope: PendingState.Scope, _ key: [UInt8], _ value: [UInt8]?
    ) throws(SQLiteDatabase.Failure) {
        guard let statement = value == nil ? removals[scope.table] : puts[scope.table] else { return }
        try statement.bind(scope.name, at: 1)
        try statement.bind(key, at: 2)
        if let value { try statement.bind(value, at: 3) }
        try statement.run()
    }
}
