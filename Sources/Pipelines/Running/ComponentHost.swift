import Actors
import Streams

/// Runs components that come and go while the program runs, each as a child task of `run`, each supervised.
final class ComponentHost: Sendable {
    private struct Start: Sendable {
        let name: String
        let handle: ComponentHandle
        let operation: @Sendable () async throws -> Void
    }

    private let supervisor: Supervisor
    /// Starts wait for room only if hundreds are asked for at once.
    private let starts = Edge<Start>(
        EdgeName(pipeline: "", from: "graph", to: "components"), capacity: .init(elements: 256))

    init(_ supervisor: Supervisor) { self.supervisor = supervisor }

    /// Hosts until cancelled or closed; then it waits for what still runs.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let start = await starts.receive() {
                group.addTask { [supervisor] in
                    await start.handle.host { await supervisor.run(start.name, start.operation) }
                }
            }
        }
    }

    /// Starts an operation; it ends when it returns, when its handle is stopped, or with the host.
    func start(_ name: String, _ operation: @escaping @Sendable () async throws -> Void) async -> ComponentHandle {
        let handle = ComponentHandle()
        do throws(Edge<Start>.SendError) {
            try await starts.send(Start(name: name, handle: handle, operation: operation))
        } catch {
            // The host is closing: what comes now ends before it begins.
            handle.abandon()
        }
        return handle
    }

    func close() { starts.close() }
}

/// Stops one component, and waits for its end.
final class ComponentHandle: Sendable {
    private let stopping = Latch()
    private let ending = Latch()

    fileprivate func host(_ operation: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await operation() }
            group.addTask { [stopping] in await stopping.wait() }
            await group.next()
            group.cancelAll()
        }
        ending.open()
    }

    fileprivate func abandon() { ending.open() }

    /// Cancels the component and returns when it has ended.
    func stop() async {
        stopping.open()
        await ending.wait()
    }

    /// Returns when the component has ended, by itself or not.
    func ended() async { await ending.wait() }
}
