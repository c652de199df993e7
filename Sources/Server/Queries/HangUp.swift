import NIOCore
import Streams
import Synchronization

/// Notices that the client has closed its side of the connection while its request is being worked on.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    private struct State {
        var isGone = false
        var watch: Watch?
    }

    private let state = Mutex(State())

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { clientIsGone() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        clientIsGone()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.fireChannelRead(data) }

    private func clientIsGone() {
        let watch = state.withLock { state in
            state.isGone = true
            return state.watch
        }
        watch?.interrupt(.hungUp)
    }

    /// The watch is told when the client goes. A connection has one request at a time, so it has one watch.
    fileprivate func attach(_ watch: Watch) {
        let isGone = state.withLock { state in
            state.watch = watch
            return state.isGone
        }
        if isGone { watch.interrupt(.hungUp) }
    }

    fileprivate func detach(_ watch: Watch) {
        state.withLock { if $0.watch === watch { $0.watch = nil } }
    }
}

/// Work that lasts no longer than somebody waits for it: it is cancelled when the client hangs up and when its time is
/// over.
enum Patience {
    enum Interruption: Error, Sendable { case hungUp, timedOut }

    private enum Event<Value: Sendable>: Sendable {
        case done(Value)
        case watchEnded(Interruption?)
    }

    /// - Parameter executor: where the work is begun; nil: on the cooperative pool.
    /// - Throws: `Interruption`, or what the work throws by itself. It has ended by then.
    static func during<Value: Sendable>(
        _ timeout: Duration, on channel: (any Channel)?, _ executor: QueryExecutor?,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Event<Value>.self) { group in
            group.addTask(executorPreference: executor) { .done(try await work()) }
            let watch = Watch()
            if let channel { watch.begin(on: channel, timeout) }
            // It runs up to its wait at once: no thread has to be woken for that.
            group.addImmediateTask {
                if channel == nil { await watch.wait(timeout) } else { await watch.wait() }
                return .watchEnded(watch.interruption)
            }
            defer {
                if let channel { watch.end(on: channel) }
                group.cancelAll()
            }
            var interruption: Interruption?
            do {
                while let event = try await group.next() {
                    switch event {
                    case .done(let value): return value
                    case .watchEnded(let found):
                        interruption = interruption ?? found
                        group.cancelAll()
                    }
                }
            } catch {
                // What was cancelled fails for that reason.
                throw interruption ?? error
            }
            throw interruption ?? .hungUp
        }
    }
}

/// Whether somebody still waits for a piece of work. The connection's event loop tells when the client goes and when the
/// time is over; nobody waits for the event loop.
private final class Watch: Sendable {
    private struct State {
        var interruption: Patience.Interruption?
        var timer: Scheduled<Void>?
        var isOver = false
    }

    private let state = Mutex(State())
    private let isInterrupted = Latch()

    var interruption: Patience.Interruption? { state.withLock { $0.interruption } }

    func interrupt(_ reason: Patience.Interruption) {
        state.withLock { $0.interruption = $0.interruption ?? reason }
        isInterrupted.open()
    }

    /// Returns when nobody waits any more, or when the task is cancelled.
    func wait() async { await isInterrupted.wait() }

    /// The same without a connection: nobody hangs up.
    func wait(_ timeout: Duration) async {
        // It ends early by cancellation only, when nobody asks any more.
        if (try? await Task.sleep(for: timeout)) != nil { interrupt(.timedOut) }
    }

    func begin(on channel: any Channel, _ timeout: Duration) {
        channel.eventLoop.execute { [self] in
            if state.withLock({ $0.isOver }) { return }
            // A connection that has no such handler any more is closed.
            guard let handler = try? channel.pipeline.syncOperations.handler(type: HangUpHandler.self) else {
                return interrupt(.hungUp)
            }
            handler.attach(self)
            let timer = channel.eventLoop.scheduleTask(in: .milliseconds(timeout.wholeMilliseconds)) { [self] in
                interrupt(.timedOut)
            }
            state.withLock { $0.timer = timer }
        }
    }

    /// The work is done.
    func end(on channel: any Channel) {
        state.withLock { $0.isOver = true }
        channel.eventLoop.execute { [self] in
            state.withLock { $0.timer }?.cancel()
            (try? channel.pipeline.syncOperations.handler(type: HangUpHandler.self))?.detach(self)
        }
    }
}
