package import Streams
import Glibc
import Synchronization

/// `state.db`: what the program remembers of alerts, in an SQLite database in WAL mode.
///
/// - Guarantees: what `flush` has returned for survives the end of the process at any moment, and, but for what the system
///   had not written out by itself, that of the machine (`synchronous = NORMAL`).
/// - Everything that waits is written as one transaction: whoever comes first writes for all.
/// - Where writing fails, what was handed over waits in memory, and the failure is told once.
package final class StateStore: StateJournal {
    /// Carries out what blocks its thread, one after another, and returns when it is done.
    package typealias Blocking = @Sendable (@escaping @Sendable () -> Void) async -> Void

    package struct OpenFailure: Error, Sendable, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// What was found.
    package struct Opened: Sendable {
        package var store: StateStore
        package var tables = StateTables()
        /// When the last run was last known to be well; nil: there was none.
        package var savedAt: Timestamp?
        /// A damaged file was put aside, and why; nothing of it is used.
        package var damage: String?
    }

    private let pending = Mutex(PendingState())
    private let connection: Mutex<Connection>
    private let blocking: Blocking
    private let telemetry: StateTelemetry
    /// Is told why writing fails, and nil when it works again.
    private let failed: @Sendable (String?) -> Void

    private struct Connection {
        var tables: StateDatabase?
        var written = StateTicket(number: 0)
        var isFailing = false
    }

    private init(
        _ database: sending StateDatabase, _ blocking: @escaping Blocking, _ telemetry: StateTelemetry,
        _ failed: @escaping @Sendable (String?) -> Void
    ) {
        connection = Mutex(Connection(tables: database))
        self.blocking = blocking
        self.telemetry = telemetry
        self.failed = failed
    }

    // MARK: opening

    /// Opens the database and reads what is in it. A damaged one is put aside and a new one begun.
    /// - Throws: where there is none to be had, or where it was written by a newer version of the program.
    package static func open(
        _ path: String, at now: Timestamp, blocking: @escaping Blocking, telemetry: Telemetry,
        failed: @escaping @Sendable (String?) -> Void
    ) async throws(OpenFailure) -> Opened {
        let result = Mutex<Result<Opened, OpenFailure>?>(nil)
        let telemetry = StateTelemetry(telemetry)
        await blocking {
            let opened = Result { () throws(OpenFailure) in
                try open(path, now, blocking, telemetry, failed)
            }
            result.withLock { $0 = opened }
        }
        guard let opened = result.withLock({ $0 }) else { throw OpenFailure(description: "the program is ending") }
        return try opened.get()
    }

    private static func open(
        _ path: String, _ now: Timestamp, _ blocking: @escaping Blocking, _ telemetry: StateTelemetry,
        _ failed: @escaping @Sendable (String?) -> Void
    ) throws(OpenFailure) -> Opened {
        var damage: String?
        for _ in 0..<2 {
            do throws(SQLiteDatabase.Failure) {
                let database = try StateDatabase(path: path)
                if database.version > StateDatabase.version {
                    throw SQLiteDatabase.Failure(
                        code: 0,
                        description: "it was written by a newer version of the program (schema \(database.version))")
                }
                let tables = try database.read()
                let savedAt = try database.savedAt()
                return Opened(
                    store: StateStore(database, blocking, telemetry, failed), tables: tables, savedAt: savedAt,
                    damage: damage)
            } catch {
                guard error.isDamage, damage == nil else { throw OpenFailure(description: "\(path): \(error)") }
                let aside = "\(path).damaged-\(now.milliseconds)"
                for suffix in ["", "-wal", "-shm"] where rename(path + suffix, aside + suffix) != 0 && errno != ENOENT {
                    throw OpenFailure(description: "\(path) is damaged and can't be renamed")
                }
                damage = "\(error); it is kept as \(aside)"
            }
        }
        throw OpenFailure(description: "\(path): it can't be made anew")
    }

    // MARK: writing

    package func enqueue(_ changes: StateChanges) -> StateTicket {
        pending.withLock { changes.isEmpty ? $0.ticket : $0.append(changes) }
    }

    package func flush(_ ticket: StateTicket) async {
        if connection.withLockIfAvailable({ $0.written.number >= ticket.number }) ?? false { return }
        await blocking { self.write(upTo: ticket) }
    }

    /// Notes that the program is well, and tries again what could not be written.
    package func beat(at now: Timestamp) async {
        await blocking { self.write(upTo: nil, savedAt: now) }
    }

    private func write(upTo ticket: StateTicket?, savedAt: Timestamp? = nil) {
        connection.withLock { connection in
            if let ticket, connection.written.number >= ticket.number, !connection.isFailing { return }
            guard let database = connection.tables else { return }
            let changes = pending.withLock { $0.take() }
            if changes.isEmpty, savedAt == nil {
                connection.written = changes.ticket
                return
            }
            do throws(SQLiteDatabase.Failure) {
                try database.write(changes, savedAt: savedAt)
                telemetry.committed(rows: changes.count)
                if connection.isFailing { failed(nil) }
                connection.isFailing = false
            } catch {
                telemetry.failures.add()
                pending.withLock { $0.putBack(changes) }
                if !connection.isFailing { failed(error.description) }
                connection.isFailing = true
            }
            connection.written = changes.ticket
            telemetry.waiting.set(Double(pending.withLock { $0.count }))
        }
    }

    /// Writes what waits and closes the file; nothing is kept any more after it.
    package func close(at now: Timestamp) async {
        await blocking {
            self.write(upTo: nil, savedAt: now)
            self.connection.withLock { $0.tables = nil }
        }
    }
}

/// The metrics of `state.db`.
struct StateTelemetry: Sendable {
    private let commits: Counter
    private let rows: Counter
    let failures: Counter
    let waiting: Gauge

    init(_ telemetry: Telemetry) {
        commits = telemetry.counter("tocsin_state_commits_total", help: "Transactions written to state.db.")
        rows = telemetry.counter("tocsin_state_rows_total", help: "Rows written to state.db, removed ones included.")
        failures = telemetry.counter(
            "tocsin_state_failures_total", help: "Transactions that could not be written to state.db.")
        waiting = telemetry.gauge(
            "tocsin_state_rows_waiting", help: "Rows that could not be written to state.db yet; kept in memory.")
    }

    func committed(rows count: Int) {
        commits.add()
        rows.add(Double(count))
    }
}
