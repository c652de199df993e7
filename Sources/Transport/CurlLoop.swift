import CLibCurl
import CLinux
import Glibc
import Streams

/// libcurl's multi interface on epoll, on a thread of its own: `run` is that thread, and nobody else calls in.
final class CurlLoop {
    private let engine: CurlEngine
    private let settings: HTTPClient.Settings
    private let multi: UnsafeMutableRawPointer
    private let wake: Int32
    private let epoll: Int32
    private var active: [ObjectIdentifier: CurlTransfer] = [:]
    private var idleHandles: [UnsafeMutableRawPointer] = []
    /// When libcurl wants to be called for time alone.
    private var deadline: ContinuousClock.Instant?

    private static let idleHandlesMax = 64
    private static let library: Bool = curl_global_init(Int(CURL_GLOBAL_SSL | CURL_GLOBAL_WIN32)) == CURLE_OK

    init?(_ engine: CurlEngine, _ settings: HTTPClient.Settings, wake: Int32, epoll: Int32) {
        guard Self.library, let multi = curl_multi_init() else { return nil }
        self.engine = engine
        self.settings = settings
        self.multi = multi
        self.wake = wake
        self.epoll = epoll
    }

    func run() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        tc_multi_set_callbacks(
            multi,
            { _, socket, what, context, _ in
                if let context { CurlLoop.at(context).watch(socket, what) }
                return 0
            },
            { _, milliseconds, context in
                if let context { CurlLoop.at(context).arm(milliseconds) }
                return 0
            }, context)
        tc_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.idleConnectionsMax)
        tc_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHostMax)
        _ = tc_epoll_watch(epoll, wake, UInt32(TC_EPOLL_IN), 0)
        withExtendedLifetime(self) {
            turn()
            end()
        }
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> CurlLoop {
        Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue()
    }

    private func watch(_ socket: curl_socket_t, _ what: Int32) {
        var events: UInt32 = 0
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { events |= UInt32(TC_EPOLL_IN) }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { events |= UInt32(TC_EPOLL_OUT) }
        _ = tc_epoll_watch(epoll, socket, events, 0)
    }

    private func arm(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : ContinuousClock.now + .milliseconds(milliseconds)
    }

    /// Waits and works until the engine says to end.
    private func turn() {
        var events = [tc_epoll_event](repeating: tc_epoll_event(), count: 64)
        var commands: [CurlEngine.Command] = []
        var running: Int32 = 0
        while true {
            let count = tc_epoll_wait(epoll, &events, Int32(events.count), wait())
            precondition(count >= 0, "epoll on a descriptor of our own fails")
            for event in events.prefix(Int(count)) {
                if event.descriptor == wake {
                    guard engine.takeInbox(into: &commands) else {
                        for case .start(let transfer) in commands { transfer.finish(.failure(.closed)) }
                        return
                    }
                    for command in commands { carryOut(command) }
                } else {
                    curl_multi_socket_action(multi, event.descriptor, Self.select(event.events), &running)
                }
            }
            if let due = deadline, due <= ContinuousClock.now {
                deadline = nil
                curl_multi_socket_action(multi, -1, 0, &running)
            }
            reap()
        }
    }

    private func wait() -> Int32 {
        guard let deadline else { return -1 }
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return 0 }
        return Int32(clamping: left.wholeMilliseconds + 1)
    }

    private static func select(_ events: UInt32) -> Int32 {
        var mask: Int32 = 0
        if events & UInt32(TC_EPOLL_IN | TC_EPOLL_HUP) != 0 { mask |= CURL_CSELECT_IN }
        if events & UInt32(TC_EPOLL_OUT) != 0 { mask |= CURL_CSELECT_OUT }
        if events & UInt32(TC_EPOLL_ERR) != 0 { mask |= CURL_CSELECT_ERR }
        return mask
    }

    private func carryOut(_ command: CurlEngine.Command) {
        switch command {
        case .start(let transfer):
            guard !transfer.isCancelled else { return transfer.finish(.failure(.cancelled)) }
            guard let easy = idleHandles.popLast() ?? curl_easy_init() else {
                return transfer.finish(.failure(.invalidRequest(reason: "out of memory")))
            }
            let handle = CurlHandle(easy: easy)
            guard handle.prepare(transfer, settings), curl_multi_add_handle(multi, easy) == CURLM_OK else {
                curl_easy_cleanup(easy)
                return transfer.finish(.failure(.invalidRequest(reason: "the HTTP library does not take the request")))
            }
            transfer.easy = easy
            active[ObjectIdentifier(transfer)] = transfer
        case .cancel(let transfer):
            // It may come before the start, and after the end.
            transfer.isCancelled = true
            if let easy = transfer.easy {
                release(transfer, easy)
                transfer.finish(.failure(.cancelled))
            }
        case .stop:
            break
        }
    }

    /// Hands out what has ended.
    private func reap() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let context = tc_easy_get_private(easy)
            else { continue }
            let code = tc_message_result(message)
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            // The caller is resumed last: what it does next finds the handle and the connection free.
            withExtendedLifetime(transfer) {
                transfer.complete(code, on: easy) { release(transfer, easy) }
            }
        }
    }

    private func release(_ transfer: CurlTransfer, _ easy: UnsafeMutableRawPointer) {
        curl_multi_remove_handle(multi, easy)
        transfer.easy = nil
        active[ObjectIdentifier(transfer)] = nil
        if idleHandles.count < Self.idleHandlesMax {
            curl_easy_reset(easy)
            idleHandles.append(easy)
        } else {
            curl_easy_cleanup(easy)
        }
    }

    private func end() {
        for transfer in active.values {
            guard let easy = transfer.easy else { continue }
            release(transfer, easy)
            transfer.finish(.failure(.closed))
        }
        for easy in idleHandles { curl_easy_cleanup(easy) }
        curl_multi_cleanup(multi)
        close(epoll)
        engine.ended()
    }
}
