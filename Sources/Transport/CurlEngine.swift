import CLinux
import Glibc
import Synchronization

/// The way to the thread on which libcurl runs: an inbox, and an eventfd that wakes it.
final class CurlEngine: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        case cancel(CurlTransfer)
        case stop(UnsafeContinuation<Void, Never>?)
    }

    private enum Phase { case new, running, stopping, stopped }

    private struct State {
        var phase = Phase.new
        var inbox: [Command] = []
        var stopWaiters: [UnsafeContinuation<Void, Never>] = []
        var wakeDescriptor: Int32 = -1
    }

    let settings: HTTPClient.Settings
    private let bodies: BodyPool
    private let state = Mutex(State())

    init(_ settings: HTTPClient.Settings) {
        self.settings = settings
        bodies = BodyPool(bytesMax: settings.pooledBytesMax)
    }

    func start() throws(TransportError) {
        let failure: TransportError? = state.withLock { state in
            guard state.phase == .new else { return nil }
            let wake = tc_eventfd_create()
            let epoll = tc_epoll_create()
            guard wake >= 0, epoll >= 0, let loop = CurlLoop(self, settings, wake: wake, epoll: epoll) else {
                let reason = SystemError.text(errno)
                for descriptor in [wake, epoll] where descriptor >= 0 { close(descriptor) }
                return .invalidRequest(reason: "can't start the HTTP client: \(reason)")
            }
            let context = Unmanaged.passRetained(loop)
            let error = tc_thread_start(
                "http-client", { Unmanaged<CurlLoop>.fromOpaque($0).takeRetainedValue().run() }, context.toOpaque())
            guard error == 0 else {
                context.release()
                return .invalidRequest(reason: "can't start the HTTP client's thread: \(SystemError.text(error))")
            }
            state.wakeDescriptor = wake
            state.phase = .running
            return nil
        }
        if let failure { throw failure }
    }

    /// Checks what can be checked, and reads the secrets as they are now.
    func transfer(_ request: HTTPRequest) throws(TransportError) -> CurlTransfer {
        CurlTransfer(request, fields: try request.fields(), body: ResponseBody(pool: bodies))
    }

    func submit(_ transfer: CurlTransfer) {
        if !post(.start(transfer)) { transfer.finish(.failure(.closed)) }
    }

    func cancel(_ transfer: CurlTransfer) { _ = post(.cancel(transfer)) }

    /// Returns whether the loop will see the command.
    private func post(_ command: Command) -> Bool {
        state.withLock { state in
            guard state.phase == .running else { return false }
            state.inbox.append(command)
            // The descriptor is open: the loop closes it under this lock. One signal is enough until the loop has looked.
            if state.inbox.count == 1 { tc_eventfd_signal(state.wakeDescriptor) }
            return true
        }
    }

    func stop(_ waiter: UnsafeContinuation<Void, Never>?) {
        let ended = state.withLock { state in
            switch state.phase {
            case .new, .stopped:
                state.phase = .stopped
                return true
            case .running:
                state.phase = .stopping
                tc_eventfd_signal(state.wakeDescriptor)
            case .stopping:
                break
            }
            if let waiter { state.stopWaiters.append(waiter) }
            return false
        }
        if ended { waiter?.resume() }
    }

    /// What came in since the last look, for the loop; nil when it shall end.
    func takeInbox(into commands: inout [Command]) -> Bool {
        state.withLock { state in
            commands.removeAll(keepingCapacity: true)
            swap(&commands, &state.inbox)
            tc_eventfd_drain(state.wakeDescriptor)
            return state.phase == .running
        }
    }

    /// The loop's last word.
    func ended() {
        let waiters = state.withLock { state in
            close(state.wakeDescriptor)
            state.wakeDescriptor = -1
            state.phase = .stopped
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
