import CLinux
import Glibc
import Synchronization

/// Tells tasks when their sockets are ready: one thread on epoll for any number of sockets, begun with the first wait and
/// ended with the last reference.
final class SocketPoller: Sendable {
    enum Interest: Sendable { case read, write }

    private let loop = PollLoop()

    deinit { loop.stop() }

    /// Returns when the socket can be read or written, or has failed. One task waits for a socket at a time.
    func ready(_ descriptor: Int32, _ interest: Interest) async throws(TransportError) {
        let failure: TransportError? = await withTaskCancellationHandler {
            await withUnsafeContinuation { loop.wait(descriptor, interest, $0) }
        } onCancel: {
            loop.wake(descriptor, .cancelled)
        }
        if let failure { throw failure }
    }

    /// To be called before the descriptor is closed.
    func forget(_ descriptor: Int32) { loop.forget(descriptor) }
}

/// What the poller and its thread share. The thread holds it, so the poller can go before the thread has.
private final class PollLoop: Sendable {
    typealias Waiter = UnsafeContinuation<TransportError?, Never>

    private struct State {
        var epoll: Int32 = -1
        var wake: Int32 = -1
        var isRunning = false
        var isStopped = false
        var waiters: [Int32: Waiter] = [:]
    }

    private let state = Mutex(State())

    func wait(_ descriptor: Int32, _ interest: SocketPoller.Interest, _ waiter: Waiter) {
        let failure: TransportError? = state.withLock { state in
            // The handler of a cancellation may have run before.
            if Task.isCancelled { return .cancelled }
            if state.isStopped { return .closed }
            if !state.isRunning, let failure = start(&state) { return failure }
            precondition(state.waiters[descriptor] == nil, "a socket has one task waiting for it")
            let events = UInt32(interest == .read ? TC_EPOLL_IN : TC_EPOLL_OUT)
            guard tc_epoll_watch(state.epoll, descriptor, events, 1) == 0 else {
                return .connect(peer: "the socket", reason: SystemError.text(errno))
            }
            state.waiters[descriptor] = waiter
            return nil
        }
        if let failure { waiter.resume(returning: failure) }
    }

    func wake(_ descriptor: Int32, _ failure: TransportError?) {
        state.withLock { $0.waiters.removeValue(forKey: descriptor) }?.resume(returning: failure)
    }

    func forget(_ descriptor: Int32) {
        let waiter = state.withLock { state in
            if state.isRunning { _ = tc_epoll_watch(state.epoll, descriptor, 0, 0) }
            return state.waiters.removeValue(forKey: descriptor)
        }
        waiter?.resume(returning: .closed)
    }

    func stop() {
        let waiters = state.withLock { state in
            state.isStopped = true
            if state.isRunning { tc_eventfd_signal(state.wake) }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: .closed) }
    }

    private func start(_ state: inout State) -> TransportError? {
        state.epoll = tc_epoll_create()
        state.wake = tc_eventfd_create()
        let context = Unmanaged.passRetained(self)
        let watched =
            state.epoll >= 0 && state.wake >= 0
            && tc_epoll_watch(state.epoll, state.wake, UInt32(TC_EPOLL_IN), 0) == 0
        let error =
            watched
            ? tc_thread_start(
                "sockets", { Unmanaged<PollLoop>.fromOpaque($0).takeRetainedValue().run() }, context.toOpaque())
            : errno
        guard error == 0 else {
            context.release()
            for descriptor in [state.epoll, state.wake] where descriptor >= 0 { close(descriptor) }
            return .connect(peer: "the network", reason: SystemError.text(error))
        }
        state.isRunning = true
        return nil
    }

    private func run() {
        let (epoll, wakeUp) = state.withLock { ($0.epoll, $0.wake) }
        var events = [tc_epoll_event](repeating: tc_epoll_event(), count: 64)
        while !state.withLock({ $0.isStopped }) {
            let count = tc_epoll_wait(epoll, &events, Int32(events.count), -1)
            precondition(count >= 0, "epoll on a descriptor of our own fails")
            // A descriptor that was closed and given out again may wake its new owner for nothing: that one looks again.
            for event in events.prefix(Int(count)) where event.descriptor != wakeUp { wake(event.descriptor, nil) }
        }
        state.withLock { state in
            state.isRunning = false
            close(epoll)
            close(wakeUp)
        }
    }
}
