import Logging
package import Streams
import Synchronization

/// Brings notifications to one sink and goes on trying, apart from all other sinks: a sink that is down delays none but
/// itself.
///
/// - Holds: at most `Settings.capacity` notifications that were not looked at yet and `Settings.outstandingMax` that are
///   on their way or wait to be tried again. `hasRoom` says whether another one finds a place.
/// - Ends: with its inbox; what is on its way is finished, what waits for another try is kept by whoever sent it.
package final class DeliveryQueue: Sendable {
    package struct Settings: Sendable, Hashable {
        package var capacity: Int
        package var outstandingMax: Int
        /// Tries at the same time.
        package var concurrencyMax: Int
        /// After that long without an answer a try has failed. Sinks have times of their own, which are shorter; a mail
        /// server may take minutes once it has the whole message, and who hangs up then gets it twice (RFC 5321, section
        /// 4.5.3.2.6).
        package var attemptTimeout: Duration
        package var backoff: Backoff.Settings
        /// A longer pause than that is not granted to a sink that asks for one (Retry-After).
        package var pauseMax: Duration

        package init(
            capacity: Int = 256, outstandingMax: Int = 1024, concurrencyMax: Int = 32,
            attemptTimeout: Duration = .seconds(420),
            backoff: Backoff.Settings = .delivery, pauseMax: Duration = .seconds(3600)
        ) {
            self.capacity = capacity
            self.outstandingMax = outstandingMax
            self.concurrencyMax = concurrencyMax
            self.attemptTimeout = attemptTimeout
            self.backoff = backoff
            self.pauseMax = pauseMax
        }
    }

    private struct Health {
        var isFailing = false
        /// The sink wants no request before.
        var pausedUntil = Timestamp.distantPast
    }

    package let inbox: Edge<Delivery>
    private let sink: any Sink
    private let settings: Settings
    private let clock: any WallClock
    private let random: RandomSource
    private let telemetry: DeliveryTelemetry
    private let logger: Logger
    private let health = Mutex(Health())
    private let drain = Gate()
    private let slots: Slots

    /// - Parameter surroundings: their logger bears the names of receiver and integration.
    package init(
        _ name: EdgeName, to sink: any Sink, receiver: String, integration: String, settings: Settings,
        in surroundings: Notifier.Surroundings
    ) {
        inbox = Edge(name, capacity: .init(elements: settings.capacity))
        self.sink = sink
        self.settings = settings
        slots = Slots(settings.concurrencyMax)
        clock = surroundings.clock
        random = surroundings.random
        telemetry = DeliveryTelemetry(
            surroundings.telemetry, pipeline: name.pipeline, receiver: receiver, integration: integration)
        logger = surroundings.logger
    }

    package var hasRoom: Bool { inbox.counts.queued < settings.capacity }

    /// Takes no more; what is on its way is finished, what waits to be tried again is left.
    package func close() {
        inbox.close()
        drain.open()
    }

    /// Runs until the inbox ends or the task is cancelled.
    /// - Parameter report: called when a delivery has ended; not for what was left when the queue closed.
    package func run(_ report: @escaping @Sendable (Delivery, DeliveryOutcome) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            while let delivery = await inbox.receive() {
                if running == settings.outstandingMax {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.carry(delivery, report) }
            }
        }
    }

    private func carry(
        _ delivery: Delivery, _ report: @Sendable (Delivery, DeliveryOutcome) async -> Void
    ) async {
        telemetry.notifications.add()
        var backoff = Backoff(settings.backoff)
        var attempt = 0
        while true {
            do throws(DeliveryError) {
                await slots.take()
                defer { slots.giveBack() }
                // A sink that wants to be left alone is left alone by all that hold a slot.
                let pause = health.withLock { $0.pausedUntil }
                if pause > clock.now(), await !wait(until: min(pause, delivery.deadline)) { return }
                guard clock.now() < delivery.deadline else { return await giveUp(delivery, report) }
                attempt += 1
                telemetry.requests.add()
                try await tryOnce(delivery)
                noteSuccess(delivery)
                return await report(delivery, .accepted)
            } catch {
                // Cancelled as a whole: whoever sent it still has it.
                if Task.isCancelled { return }
                telemetry.failedRequests.add()
                noteFailure(error, attempt: attempt)
                if case .partly = error {
                    telemetry.failed.add()
                    return await report(delivery, .accepted)
                }
                guard case .unavailable = error else { return await giveUp(delivery, report) }
            }
            let next = min(clock.now() + backoff.next(random), delivery.deadline)
            if await !wait(until: next) { return }
        }
    }

    private func giveUp(
        _ delivery: Delivery, _ report: @Sendable (Delivery, DeliveryOutcome) async -> Void
    ) async {
        telemetry.failed.add()
        await report(delivery, .failed)
    }

    /// One try, ended by the time-out. The delivery's deadline does not cut it: the far side may have accepted already, and
    /// the next flush waits for it.
    private func tryOnce(_ delivery: Delivery) async throws(DeliveryError) {
        let end = clock.now() + settings.attemptTimeout
        let outcome = await withTaskGroup(of: Result<Void, DeliveryError>.self) { [sink, clock] group in
            group.addTask {
                do throws(DeliveryError) {
                    return .success(try await sink.deliver(delivery.notification))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do {
                    try await clock.sleep(until: end)
                    return .failure(.unavailable(reason: "no answer in time", retryAfter: nil))
                } catch {
                    return .failure(.cancelled)
                }
            }
            let first = await group.next() ?? .failure(.cancelled)
            group.cancelAll()
            return first
        }
        try outcome.get()
    }

    /// False when there is no more waiting: the queue was closed or the task cancelled.
    private func wait(until time: Timestamp) async -> Bool {
        await withTaskGroup(of: Void.self) { [clock, drain] group in
            // Ends early only by cancellation, which is asked for below.
            group.addTask { try? await clock.sleep(until: time) }
            group.addTask { await drain.wait() }
            await group.next()
            group.cancelAll()
        }
        return !Task.isCancelled && !drain.isOpen
    }

    private func noteSuccess(_ delivery: Delivery) {
        telemetry.latency.observe((clock.now() - delivery.notification.time).inSeconds)
        let hadFailed = health.withLock { health in
            defer { health.isFailing = false }
            return health.isFailing
        }
        if hadFailed { logger.info("Deliveries are accepted again.") }
    }

    private func noteFailure(_ error: DeliveryError, attempt: Int) {
        let isNew = health.withLock { health in
            if case .unavailable(_, let retryAfter?) = error {
                let pause = min(max(retryAfter, .zero), settings.pauseMax)
                health.pausedUntil = max(health.pausedUntil, clock.now() + pause)
            }
            defer { health.isFailing = true }
            return !health.isFailing
        }
        guard isNew else { return }
        let metadata: Logger.Metadata = ["reason": "\(error)", "attempt": "\(attempt)"]
        switch error {
        case .refused: logger.error("A notification was refused.", metadata: metadata)
        case .partly: logger.error("A notification was refused for some of its recipients.", metadata: metadata)
        case .unavailable, .cancelled: logger.warning("Delivery failed; will retry.", metadata: metadata)
        }
    }
}
