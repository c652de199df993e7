import Actors
import Logging
import Streams
import Synchronization
import Testing
import TestKit
import YAML

/// A sink that answers as told and remembers what came.
final class FakeSink: Sink {
    enum Answer: Sendable {
        case accept
        case unavailable(retryAfter: Duration?)
        case refuse
        case takePart
        /// No answer until the task is cancelled or so much time has passed.
        case acceptAfter(Duration)
    }

    struct Try: Sendable {
        var at: Duration
        var notification: Notification
        var isAccepted: Bool
    }

    private struct State {
        var answer = Answer.accept
        var tries: [Try] = []
    }

    static let key = "webhook_configs"
    let sendsResolved: Bool
    private let clock: ManualClock
    private let start: Timestamp
    private let state = Mutex(State())

    init(_ clock: ManualClock, sendsResolved: Bool = true) {
        self.clock = clock
        self.sendsResolved = sendsResolved
        start = clock.now()
    }

    func answer(_ answer: Answer) { state.withLock { $0.answer = answer } }

    var tries: [Try] { state.withLock { $0.tries } }
    var accepted: [Try] { tries.filter(\.isAccepted) }

    /// Accepted ones as `seconds: status alertnames`.
    var story: [String] {
        accepted.map { attempt in
            let names = attempt.notification.alerts.map {
                $0.name + ($0.isResolved(at: attempt.notification.time) ? "-" : "")
            }
            return "\(attempt.at.inSeconds): \(names.joined(separator: " "))"
        }
    }

    func deliver(_ notification: Notification) async throws(DeliveryError) {
        let answer = state.withLock { $0.answer }
        let isAccepted: Bool
        if case .acceptAfter(let delay) = answer {
            do { try await clock.sleep(for: delay) } catch { throw .cancelled }
            isAccepted = true
        } else if case .accept = answer {
            isAccepted = true
        } else {
            isAccepted = false
        }
        state.withLock {
            $0.tries.append(Try(at: clock.now() - start, notification: notification, isAccepted: isAccepted))
        }
        switch answer {
        case .accept, .acceptAfter: return
        case .unavailable(let retryAfter): throw .unavailable(reason: "down", retryAfter: retryAfter)
        case .refuse: throw .refused(reason: "no")
        case .takePart: throw .partly(reason: "not all")
        }
    }
}

/// A notifier in virtual time, with what surrounds it.
final class NotifierBench {
    let clock: ManualClock
    let simulation: SimulatedExecutor
    let telemetry = Telemetry()
    let journal = MemoryJournal()
    let log = LogRecorder()
    private let published = Recorder<AlertTransition>()
    let start: Timestamp
    private(set) var inbox: Edge<[Alert]>
    private(set) var notifier: Notifier
    private var running: Task<Void, Never>?

    init(
        _ routing: String, sinks: [String: [any Sink]], clock: ManualClock,
        queue: DeliveryQueue.Settings = .init(), continuing: Notifier.Continuation? = nil, seed: UInt64 = 1
    ) throws {
        self.clock = clock
        simulation = SimulatedExecutor(seed: seed)
        start = clock.now()
        let diagnostics = Diagnostics()
        let reader = MappingReader(try Node.parse(routing), "routing", diagnostics)
        let settings = RoutingSettings(reader, receivers: Set(sinks.keys))
        reader.finish()
        try diagnostics.check()
        inbox = Edge(EdgeName(pipeline: "p", from: "rules", to: "notify"), capacity: .init(elements: 1000))
        var surroundings = Notifier.Surroundings(
            clock: clock, random: RandomSource(SeededGenerator(seed: seed)), telemetry: telemetry, logger: log.logger)
        surroundings.journal = journal
        notifier = Notifier(
            pipeline: "p", routing: settings,
            receivers: sinks.map { Notifier.Receiver(name: $0.key, sinks: $0.value) }, externalURL: "http://tocsin",
            inbox: inbox, queue: queue, continuing: continuing, publish: { [published] in published.add($0) },
            in: surroundings)
        let notifier = notifier
        running = Task(executorPreference: simulation) { await notifier.run() }
        simulation.runUntilIdle()
    }

    func post(_ alerts: Alert...) throws {
        try inbox.trySend(alerts)
        simulation.runUntilIdle()
    }

    /// What the event stream was told, as `seconds: alertname from>to`.
    var events: [String] {
        published.all.map { "\(($0.time - start).inSeconds): \($0.labels["alertname"] ?? "") \($0.from)>\($0.to)" }
    }

    func firing(_ name: String, _ labels: LabelSet = LabelSet()) -> Alert {
        Alert(labels: labels.merging(["alertname": name]), startsAt: clock.now(), updatedAt: clock.now())
    }

    func resolved(_ alert: Alert) -> Alert {
        var alert = alert
        alert.endsAt = clock.now()
        alert.updatedAt = clock.now()
        return alert
    }

    func run(for duration: Duration) { simulation.run(clock, until: clock.now() + duration) }

    /// What a start finds after the end of the process, whatever it was.
    var kept: DispatcherState {
        var unreadable = 0
        let state = DispatcherState(journal.tables, pipeline: "p", savedAt: clock.now(), unreadable: &unreadable)
        #expect(unreadable == 0)
        return state
    }

    /// Ends the inbox and lets the notifier come to its end.
    /// - Parameter patience: then it is cancelled.
    func drain(patience: Duration = .zero) -> DispatcherState? {
        inbox.close()
        run(for: patience)
        return stop()
    }

    /// Cancels it, as at the end of a drain's deadline or of a process.
    func stop() -> DispatcherState? {
        running?.cancel()
        let box = StateBox()
        let notifier = notifier
        _ = Task(executorPreference: simulation) {
            let saved = await notifier.state()
            box.state.withLock { $0 = saved }
        }
        simulation.runUntilIdle()
        return box.state.withLock { $0 }
    }

    deinit { running?.cancel() }

    private final class StateBox: Sendable {
        let state = Mutex<DispatcherState?>(nil)
    }
}

/// Keeps log messages.
final class LogRecorder: Sendable {
    private let lines = Mutex<[String]>([])

    var messages: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { recorder.lines.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}
