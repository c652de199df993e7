import CLinux
import DequeModule
import Glibc
import Synchronization

/// An address to connect to.
struct SocketAddress: Sendable {
    var family: Int32
    var bytes: [UInt8]
}

/// Names to addresses, as the system resolves them (`getaddrinfo`), on few threads of its own that end when there is nothing
/// to do: the system's call can't be hurried, so a caller that is cancelled leaves it behind.
final class Resolver: Sendable {
    private final class Job: Sendable {
        let host: String
        let port: Int
        private let slot = Mutex<(waiter: UnsafeContinuation<Answer, Never>?, isDone: Bool)>((nil, false))

        init(_ host: String, _ port: Int) {
            self.host = host
            self.port = port
        }

        /// False when the job has been given up before.
        func wait(_ waiter: UnsafeContinuation<Answer, Never>) -> Bool {
            slot.withLock { slot in
                if !slot.isDone { slot.waiter = waiter }
                return !slot.isDone
            }
        }

        func finish(_ answer: Answer) {
            let waiter = slot.withLock { slot in
                defer { slot = (nil, true) }
                return slot.waiter
            }
            waiter?.resume(returning: answer)
        }

        var isDone: Bool { slot.withLock { $0.isDone } }
    }

    private typealias Answer = Result<[SocketAddress], TransportError>

    private struct State {
        var jobs: Deque<Job> = []
        var threads = 0
    }

    private static let threadsMax = 8
    private static let jobsMax = 1024

    private let state = Mutex(State())

    /// At least one address, in the system's order of preference.
    func addresses(of host: String, port: Int) async throws(TransportError) -> [SocketAddress] {
        guard !host.isEmpty, !host.utf8.contains(0), host.utf8.count <= 255 else {
            throw .resolve(host: "the host", reason: "not a name")
        }
        let job = Job(host, port)
        let answer: Answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                if job.wait(waiter) { submit(job) } else { waiter.resume(returning: .failure(.cancelled)) }
            }
        } onCancel: {
            job.finish(.failure(.cancelled))
        }
        return try answer.get()
    }

    private func submit(_ job: Job) {
        let failure: String? = state.withLock { state in
            guard state.jobs.count < Self.jobsMax else { return "too many look-ups are waiting" }
            state.jobs.append(job)
            guard state.threads < Self.threadsMax else { return nil }
            let context = Unmanaged.passRetained(self)
            let error = tc_thread_start(
                "resolver", { Unmanaged<Resolver>.fromOpaque($0).takeRetainedValue().run() }, context.toOpaque())
            if error == 0 {
                state.threads += 1
                return nil
            }
            context.release()
            // Another thread will come to it.
            if state.threads > 0 { return nil }
            state.jobs.removeLast()
            return SystemError.text(error)
        }
        if let failure { job.finish(.failure(.resolve(host: job.host, reason: failure))) }
    }

    private func run() {
        while true {
            let job = state.withLock { state in
                let job = state.jobs.popFirst()
                if job == nil { state.threads -= 1 }
                return job
            }
            guard let job else { return }
            if !job.isDone { job.finish(Self.resolve(job.host, job.port)) }
        }
    }

    private static func resolve(_ host: String, _ port: Int) -> Answer {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        // Not AI_ADDRCONFIG: it hides ::1 on a machine that has no other IPv6 address.
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failure(.resolve(host: host, reason: reason(code))) }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            next = info.ai_next
            guard let address = info.ai_addr else { continue }
            let bytes = UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))
            addresses.append(SocketAddress(family: info.ai_family, bytes: Array(bytes)))
        }
        return addresses.isEmpty ? .failure(.resolve(host: host, reason: "no such host")) : .success(addresses)
    }

    private static func reason(_ code: Int32) -> String {
        switch code {
        case EAI_AGAIN: "the name server does not answer"
        case EAI_MEMORY: "out of memory"
        case EAI_FAIL, EAI_SYSTEM: "the name server failed"
        default: "no such host"
        }
    }
}
