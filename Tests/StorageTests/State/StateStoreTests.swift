import Foundation
import Storage
import Streams
import Synchronization
import TestKit
import Testing

@Suite struct StateStoreTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    private final class Failures: Sendable {
        let all = Mutex<[String?]>([])
    }

    private func open(
        _ folder: TemporaryFolder, _ failures: Failures = Failures(), telemetry: Telemetry = Telemetry()
    ) async throws -> StateStore.Opened {
        try await StateStore.open(
            folder.path("state.db"), at: Self.now, blocking: { $0() }, telemetry: telemetry
        ) { reason in failures.all.withLock { $0.append(reason) } }
    }

    private func changes(_ rows: (StateTable, String, String, String?)...) -> StateChanges {
        var changes = StateChanges()
        for (table, scope, key, value) in rows {
            changes.put(value.map { Array($0.utf8) }, for: Array(key.utf8), in: table, scope)
        }
        return changes
    }

    private func rows(_ tables: StateTables, _ table: StateTable, _ scope: String) -> [String] {
        tables.rows(table, scope).map {
            "\(String(decoding: $0.key, as: UTF8.self))=\(String(decoding: $0.value, as: UTF8.self))"
        }
        .sorted()
    }

    @Test func `what was committed is there after the end of the process, without a proper close`() async throws {
        let folder = try TemporaryFolder()
        let first = try await open(folder)
        #expect(first.savedAt == nil)
        await first.store.commit(changes((.alerts, "p", "a", "1"), (.alerts, "q", "a", "2"), (.rules, "p", "a", "3")))
        await first.store.commit(changes((.alerts, "p", "b", "4"), (.alerts, "p", "a", nil)))
        var cleared = changes((.alerts, "q", "c", "5"))
        cleared.clear(.alerts, "q")
        cleared.put(Array("6".utf8), for: Array("d".utf8), in: .alerts, "q")
        await first.store.commit(cleared)
        await first.store.beat(at: Self.now)
        let second = try await open(folder)
        #expect(rows(second.tables, .alerts, "p") == ["b=4"])
        #expect(rows(second.tables, .alerts, "q") == ["d=6"])
        #expect(rows(second.tables, .rules, "p") == ["a=3"])
        #expect(second.tables.scopes(.alerts) == ["p", "q"])
        #expect(second.savedAt == Self.now)
        #expect(second.damage == nil)
    }

    @Test func `many that commit at once find all that they committed`() async throws {
        let folder = try TemporaryFolder()
        let opened = try await open(folder)
        await withDiscardingTaskGroup { group in
            for writer in 0..<20 {
                group.addTask {
                    for count in 0..<50 {
                        await opened.store.commit(self.changes((.alerts, "p\(writer)", "a\(count)", "\(count)")))
                    }
                }
            }
        }
        let tables = try await open(folder).tables
        for writer in 0..<20 { #expect(tables.rows(.alerts, "p\(writer)").count == 50) }
    }

    @Test func `only the owner may read the file`() async throws {
        let folder = try TemporaryFolder()
        let opened = try await open(folder)
        await opened.store.commit(changes((.alerts, "p", "a", "1")))
        for file in ["state.db", "state.db-wal"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path(file))
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
        }
    }

    @Test func `a damaged file is put aside, and a new one begun`() async throws {
        let folder = try TemporaryFolder()
        try folder.write("state.db", String(repeating: "this is no database ", count: 100))
        let opened = try await open(folder)
        #expect(opened.damage?.contains("state.db.damaged-1700000000000") == true)
        #expect(FileManager.default.fileExists(atPath: folder.path("state.db.damaged-1700000000000")))
        await opened.store.commit(changes((.alerts, "p", "a", "1")))
        #expect(rows(try await open(folder).tables, .alerts, "p") == ["a=1"])
    }

    @Test func `what a newer version of the program has written is not touched`() async throws {
        let folder = try TemporaryFolder()
        _ = try await open(folder)
        let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 99')"
        let change = try await Outcome(of: TestProcess.python, ["-c", script, folder.path("state.db")])
        try #require(change.status == 0, "\(change.errors)")
        await #expect(throws: StateStore.OpenFailure.self) { try await open(folder) }
    }

    @Test func `what can't be written waits in memory and is written when it can be`() async throws {
        let folder = try TemporaryFolder()
        let failures = Failures()
        let telemetry = Telemetry()
        let opened = try await open(folder, failures, telemetry: telemetry)
        // Somebody else holds the only write lock for longer than is waited.
        let other = try TestProcess(
            TestProcess.python,
            [
                "-c",
                """
                import sqlite3, sys
                database = sqlite3.connect(sys.argv[1], isolation_level=None)
                for word, statement in [("held", "BEGIN EXCLUSIVE"), ("given", "COMMIT")]:
                    sys.stdin.readline()
                    database.execute(statement)
                    print(word, flush=True)
                """, folder.path("state.db"),
            ])
        try other.send("hold")
        #expect(await other.line() == "held")
        await opened.store.commit(changes((.alerts, "p", "a", "1"), (.alerts, "p", "b", "1")))
        await opened.store.commit(changes((.alerts, "p", "a", "2")))
        #expect(failures.all.withLock { $0.count } == 1)
        try other.send("give")
        #expect(await other.line() == "given")
        await opened.store.beat(at: Self.now)
        #expect(failures.all.withLock { $0.count } == 2)
        #expect(failures.all.withLock { $0.last ?? "" } == nil)
        #expect(rows(try await open(folder).tables, .alerts, "p") == ["a=2", "b=1"])
        other.stop()
    }
}
