package import HTTPTypes
package import NIOCore
package import NIOHTTPTypes

/// A request's body did not come in time; what has come of it is given up, and so is the connection.
package struct SlowBody: Error {
    package var message: String
}

/// Gives up a request whose body does not come in time: the reader of the body gets `SlowBody` and answers 408, then the
/// connection is closed, whether the client has read that or not.
///
/// A body has a time from its head to its end. One that is read as a stream may take as long as it likes, but has to come
/// on whenever the server waits for it: time in which the server reads nothing, since the rules are busy, doesn't count.
package final class BodyDeadlineHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPRequestPart
    package typealias InboundOut = HTTPRequestPart
    package typealias OutboundIn = HTTPResponsePart
    package typealias OutboundOut = HTTPResponsePart

    private struct Body {
        var isStream: Bool
        /// When the head had come.
        var start: NIODeadline
        /// Since when the server waits for more of it; nil while it takes none.
        var waitingSince: NIODeadline?
    }

    private let limit: TimeAmount
    private let isStream: @Sendable (HTTPRequest) -> Bool
    private let onTimeout: @Sendable () -> Void
    private var body: Body?
    private var timer: Scheduled<Void>?
    private var isOver = false
    /// Requests whose answer is not finished.
    private var answersDue = 0

    /// How long a client may take to read the answer.
    private static let lingerMax = TimeAmount.seconds(2)
    /// How long the server may take to answer: it is busy, and the client is to be told all the same.
    private static let answerMax = TimeAmount.seconds(30)

    /// - Parameter isStream: whether the body may take as long as it likes.
    package init(
        limit: TimeAmount, isStream: @escaping @Sendable (HTTPRequest) -> Bool,
        onTimeout: @escaping @Sendable () -> Void
    ) {
        self.limit = limit
        self.isStream = isStream
        self.onTimeout = onTimeout
    }

    package func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isOver { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            answersDue += 1
            body = Body(isStream: isStream(head), start: context.eventLoop.now)
        case .body: body?.waitingSince = nil
        case .end:
            body = nil
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        // Most bodies come whole with their head and need no timer.
        if body != nil, timer == nil, !isOver { schedule(context, in: limit) }
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        // What comes may be no part of the body, such as half of a chunk's head: only a part starts the time anew.
        if body != nil, body?.waitingSince == nil { body?.waitingSince = context.eventLoop.now }
        context.read()
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where isOver:
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            answersDue -= 1
            context.write(data, promise: promise)
            if isOver, answersDue <= 0 { close(context, in: Self.lingerMax) }
        default:
            context.write(data, promise: promise)
        }
    }

    private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    private func schedule(_ context: ChannelHandlerContext, in time: TimeAmount) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        timer = nil
        guard let body, context.channel.isActive else { return }
        let since = body.isStream ? body.waitingSince : body.start
        let left = limit - (since.map { context.eventLoop.now - $0 } ?? .zero)
        if left > .zero { return schedule(context, in: left) }
        isOver = true
        onTimeout()
        let seconds = Double(limit.nanoseconds) / 1e9
        context.fireErrorCaught(
            SlowBody(
                message: body.isStream
                    ? "nothing of the body has come for \(seconds) seconds"
                    : "the body did not arrive within \(seconds) seconds"))
        close(context, in: answersDue <= 0 ? Self.lingerMax : Self.answerMax)
    }
}
