package import Streams
import Synchronization

/// Keeps state in memory: what a program that is killed at this moment finds when it starts again.
package final class MemoryJournal: StateJournal {
    private let state = Mutex<(tables: StateTables, count: UInt64)>((StateTables(), 0))

    package init() {}

    package var tables: StateTables { state.withLock { $0.tables } }

    package func enqueue(_ changes: StateChanges) -> StateTicket {
        state.withLock { state in
            state.tables.apply(changes)
            state.count += 1
            return StateTicket(number: state.count)
        }
    }

    package func flush(_ ticket: StateTicket) async {}
}
