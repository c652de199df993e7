import Streams

/// Changes that wait to be written. What is changed twice is written once, so that they take no more than one row for each
/// key there is, however long the disk refuses them.
struct PendingState: Sendable {
    struct Scope: Hashable, Sendable {
        var table: StateTable
        var name: String
    }

    private(set) var cleared: Set<Scope> = []
    /// By key; nil where the row goes.
    private(set) var rows: [Scope: [[UInt8]: [UInt8]?]] = [:]
    /// Of the changes that came last.
    private(set) var ticket = StateTicket(number: 0)

    var isEmpty: Bool { cleared.isEmpty && rows.isEmpty }
    var count: Int { rows.values.reduce(0) { $0 + $1.count } }

    mutating func append(_ changes: StateChanges) -> StateTicket {
        ticket = StateTicket(number: ticket.number + 1)
        for clearing in changes.cleared {
            let scope = Scope(table: clearing.table, name: clearing.scope)
            cleared.insert(scope)
            rows[scope] = nil
        }
        for row in changes.rows {
            rows[Scope(table: row.table, name: row.scope), default: [:]].updateValue(row.value, forKey: row.key)
        }
        return ticket
    }

    /// Takes everything out.
    mutating func take() -> PendingState {
        let taken = self
        cleared = []
        rows = [:]
        return taken
    }

    /// Puts what could not be written back below what has come since.
    mutating func putBack(_ older: PendingState) {
        for (scope, rows) in older.rows where !cleared.contains(scope) {
            self.rows[scope, default: [:]].merge(rows) { newer, _ in newer }
        }
        cleared.formUnion(older.cleared)
    }
}
