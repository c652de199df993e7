import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client has not read anything of its answer for a time, since the answer is held in memory for
/// as long.
final class WriteDeadlineHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let onTimeout: @Sendable () -> Void
    private var timer: Scheduled<Void>?
    /// What waited to be sent when it was looked at last, and what was written since.
    private var waitingBytes = 0
    private var writtenBytes = 0
    private var lastProgress = NIODeadline.now()

    /// How often it is looked within the time.
    private static let looks: Int64 = 4

    init(limit: TimeAmount, onTimeout: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onTimeout = onTimeout
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .body(let piece) = unwrapOutboundIn(data) { writtenBytes += piece.readableBytes }
        context.write(data, promise: promise)
        guard timer == nil else { return }
        lastProgress = context.eventLoop.now
        schedule(context)
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let pause = TimeAmount.nanoseconds(limit.nanoseconds / Self.looks)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        timer = nil
        guard context.channel.isActive else { return }
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let sent = waitingBytes + writtenBytes - waiting
        waitingBytes = waiting
        writtenBytes = 0
        // All is with the system; the next write looks again.
        if waiting == 0 { return }
        if sent > 0 { lastProgress = context.eventLoop.now }
        if context.eventLoop.now - lastProgress < limit { return schedule(context) }
        onTimeout()
        context.close(promise: nil)
    }
}
