import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection that does not finish a request's head in time: one that has sent a part of it is told with 408,
/// one that is idle is just closed.
///
/// The clock runs from the connection's start and from the end of each answer; a request's body has a deadline of its own.
final class HeadDeadlineHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let onTimeout: @Sendable () -> Void
    private var timer: Scheduled<Void>?
    /// Requests whose head is here and whose answer is not finished; a client may send the next one before that.
    private var requestsOpen = 0
    /// Whether bytes came since the timer started that are no whole head yet.
    private var hasBegun = false
    private var gotPart = false

    init(limit: TimeAmount, onTimeout: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onTimeout = onTimeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        gotPart = true
        if case .head = unwrapInboundIn(data) {
            requestsOpen += 1
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // The decoder in front keeps the bytes of a head to itself until it has all of it.
        if !gotPart, timer != nil { hasBegun = true }
        gotPart = false
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            requestsOpen -= 1
            if requestsOpen <= 0 { start(context) }
        }
        context.write(data, promise: promise)
    }

    private func start(_ context: ChannelHandlerContext) {
        timer?.cancel()
        hasBegun = false
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { self.giveUp(context) }
    }

    private func giveUp(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        guard hasBegun else { return context.close(promise: nil) }
        onTimeout()
        let head = HTTPResponse(status: .requestTimeout, headerFields: [.connection: "close", .contentLength: "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}
