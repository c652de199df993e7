import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// What comes of a body whose request was answered before its end, such as one that is too large: it is read and thrown
/// away for a short time, so that the client gets to read the answer, then the connection is closed.
final class LingerHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: TimeAmount
    private let bytesMax: Int
    private var isBodyOpen = false
    /// A client may send the next request before it has the answer to the one before.
    private var answersDue = 0
    /// How much more is thrown away; nil while nothing is.
    private var bytesLeft: Int?
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount, bytesMax: Int) {
        self.limit = limit
        self.bytesMax = bytesMax
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isBodyOpen = true
            answersDue += 1
        case .body(let piece):
            guard let left = bytesLeft else { break }
            bytesLeft = left - piece.readableBytes
            if left < piece.readableBytes { context.close(promise: nil) }
            return
        case .end:
            isBodyOpen = false
            bytesLeft = nil
            timer?.cancel()
            timer = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Behind this handler nobody may ask for more.
        if bytesLeft != nil { context.read() }
        context.fireChannelReadComplete()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let isEnd = if case .end = unwrapOutboundIn(data) { true } else { false }
        context.write(data, promise: promise)
        guard isEnd else { return }
        answersDue -= 1
        guard answersDue == 0, isBodyOpen, bytesLeft == nil else { return }
        bytesLeft = bytesMax
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        context.read()
    }
}
