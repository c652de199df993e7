import NIOCore
import Streams
import Synchronization

/// Notices that the client has closed its side of the connection while its request is being worked on.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    /// Opened once the client is gone.
    let isGone = Latch()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { isGone.open() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isGone.open()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.fireChannelRead(data) }
}

/// Work that lasts no longer than somebody waits for it: it is cancelled when the client hangs up and when its time is
/// over.
enum Patience {
    enum Interruption: Error, Sendable { case hungUp, timedOut }

    private enum Event<Value: Sendable>: Sendable {
        case done(Value)
        case interrupted(Interruption)
        case watchEnded
    }

    /// - Throws: `Interruption`, or what the work throws by itself. It has ended by then.
    static func during<Value: Sendable>(
        _ timeout: Duration, on channel: (any Channel)?, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Event<Value>.self) { group in
            group.addTask { .done(try await work()) }
            group.addTask {
                // It ends early by cancellation only, when nobody asks any more.
                guard (try? await Task.sleep(for: timeout)) != nil else { return .watchEnded }
                return .interrupted(.timedOut)
            }
            if let channel { group.addTask { await hangUp(of: channel) ? .interrupted(.hungUp) : .watchEnded } }
            defer { group.cancelAll() }
            var interruption: Interruption?
            do {
                while let event = try await group.next() {
                    switch event {
                    case .done(let value): return value
                    case .interrupted(let found):
                        interruption = interruption ?? found
                        group.cancelAll()
                    case .watchEnded: break
                    }
                }
            } catch {
                // What was cancelled fails for that reason.
                throw interruption ?? error
            }
            throw interruption ?? .hungUp
        }
    }

    /// True once the client is gone; false when nobody asks any more.
    private static func hangUp(of channel: any Channel) async -> Bool {
        // A connection that has no such handler any more is closed.
        guard let handler = try? await channel.pipeline.handler(type: HangUpHandler.self).get() else { return true }
        await handler.isGone.wait()
        return handler.isGone.isOpen
    }
}
