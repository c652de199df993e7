import Foundation
import Glibc
import Synchronization

/// A TCP server for tests on a free port of 127.0.0.1: a thread a connection, which may wait.
package final class TestTCPServer: Sendable {
    private struct State {
        var descriptors: Set<Int32> = []
        var connections = 0
        var gone = 0
        var waiters: [(count: Int, CheckedContinuation<Void, Never>)] = []
        var isStopped = false
    }

    package let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let serve: @Sendable (TestSocket, Int) -> Void

    /// - Parameter serve: talks on one connection; its number counts from 0. The connection ends when it returns.
    package init(_ serve: @escaping @Sendable (TestSocket, Int) -> Void) throws {
        self.serve = serve
        (listener, port) = try Self.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0, let self else {
                    if descriptor >= 0 { close(descriptor) }
                    // Only here, so that its number is nobody else's while this thread may use it.
                    close(listener)
                    return
                }
                self.take(descriptor)
            }
        }
    }

    deinit { stop() }

    private static func listen() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failed = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) != 0 || Glibc.listen(descriptor, 1024) != 0
                    || getsockname(descriptor, $0, &length) != 0
            }
        }
        if failed { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// How many connections there have been.
    package var connections: Int { state.withLock { $0.connections } }

    /// Returns once that many connections have ended, by whichever side.
    package func ended(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state in
                if state.gone >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if now { continuation.resume() }
        }
    }

    /// Ends the listening and all connections.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            // Under the lock, so that none is closed and its number given out again meanwhile.
            for descriptor in state.descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func take(_ descriptor: Int32) {
        let number: Int? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.descriptors.insert(descriptor)
            state.connections += 1
            return state.connections - 1
        }
        guard let number else {
            close(descriptor)
            return
        }
        Thread.detachNewThread { [self] in
            serve(TestSocket(descriptor), number)
            let due = state.withLock { state in
                state.descriptors.remove(descriptor)
                close(descriptor)
                state.gone += 1
                let gone = state.gone
                let due = state.waiters.filter { $0.count <= gone }
                state.waiters.removeAll { $0.count <= gone }
                return due
            }
            for waiter in due { waiter.1.resume() }
        }
    }
}
