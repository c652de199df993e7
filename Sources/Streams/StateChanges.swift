/// What the program remembers of alerts, kept in tables of rows: a key and a value, told apart by a scope (a pipeline's
/// name). What keys and values mean is known to the operator that writes them.
package enum StateTable: String, Sendable, Hashable, CaseIterable {
    /// The active alerts of alerting rules.
    case rules
    /// The alerts that a notification side knows.
    case alerts
    /// Its groups with their timers.
    case groups
    /// Who was last told what.
    case notifications
    /// What is on its way to somebody.
    case outbox
    case silences
}

/// Changes of what is kept that are made as one: all of them, or none.
package struct StateChanges: Sendable {
    package struct Row: Sendable {
        package var table: StateTable
        package var scope: String
        package var key: [UInt8]
        /// Nil: the row goes.
        package var value: [UInt8]?
    }

    package struct Clearing: Sendable {
        package var table: StateTable
        package var scope: String
    }

    /// All rows of these go first.
    package private(set) var cleared: [Clearing] = []
    package private(set) var rows: [Row] = []

    package init() {}

    package var isEmpty: Bool { cleared.isEmpty && rows.isEmpty }

    package mutating func clear(_ table: StateTable, _ scope: String) {
        rows.removeAll { $0.table == table && $0.scope == scope }
        cleared.append(Clearing(table: table, scope: scope))
    }

    package mutating func put(_ value: [UInt8]?, for key: [UInt8], in table: StateTable, _ scope: String) {
        rows.append(Row(table: table, scope: scope, key: key, value: value))
    }

    /// Adds changes that come after these.
    package mutating func append(_ later: StateChanges) {
        for clearing in later.cleared { clear(clearing.table, clearing.scope) }
        rows += later.rows
    }
}

/// The rows of all tables, in memory: what was read at a start.
package struct StateTables: Sendable, Equatable {
    private var rows: [StateTable: [String: [[UInt8]: [UInt8]]]] = [:]

    package init() {}

    /// The rows of a table, in no order.
    package func rows(_ table: StateTable, _ scope: String) -> [(key: [UInt8], value: [UInt8])] {
        (rows[table]?[scope] ?? [:]).map { ($0.key, $0.value) }
    }

    package func scopes(_ table: StateTable) -> [String] { rows[table].map { $0.keys.sorted() } ?? [] }

    package mutating func put(_ value: [UInt8]?, for key: [UInt8], in table: StateTable, _ scope: String) {
        rows[table, default: [:]][scope, default: [:]][key] = value
        if rows[table]?[scope]?.isEmpty ?? false { rows[table]?[scope] = nil }
    }

    package mutating func apply(_ changes: StateChanges) {
        for clearing in changes.cleared { rows[clearing.table]?[clearing.scope] = nil }
        for row in changes.rows { put(row.value, for: row.key, in: row.table, row.scope) }
    }
}

/// Where changes are kept, in the order in which they were handed over.
package protocol StateJournal: Sendable {
    /// Hands changes over; returns at once.
    /// - Returns: what to wait for with `flush`.
    func enqueue(_ changes: StateChanges) -> StateTicket
    /// Returns once everything up to the ticket is kept, or once that has failed: it is then kept as soon as it works again.
    /// Whoever hands changes over waits before it hands over more, so that no more wait than there are callers.
    func flush(_ ticket: StateTicket) async
}

extension StateJournal {
    package func commit(_ changes: StateChanges) async { await flush(enqueue(changes)) }
}

/// A place in the order of all changes.
package struct StateTicket: Sendable, Hashable {
    package let number: UInt64
    package init(number: UInt64) { self.number = number }
}
