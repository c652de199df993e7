import Actors
import Logging
import Streams
import Synchronization
import TestKit
import Testing

@Suite struct SupervisorTests {
    private struct Failure: Error {}

    private func supervisor(_ clock: ManualClock, _ telemetry: Telemetry) -> Supervisor {
        Supervisor(
            clock: clock, random: RandomSource(SeededGenerator(seed: 1)),
            backoff: .init(first: .seconds(1), factor: 2, longest: .seconds(3), spread: 0), telemetry: telemetry,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    @Test func `an operator that fails is started again after growing pauses`() {
        let (clock, telemetry, simulation) = (ManualClock(), Telemetry(), SimulatedExecutor())
        let start = clock.now()
        let starts = Mutex<[Duration]>([])
        let supervisor = supervisor(clock, telemetry)
        let task = Task(executorPreference: simulation) {
            await supervisor.run("windows") {
                let count = starts.withLock { starts in
                    starts.append(clock.now() - start)
                    return starts.count
                }
                if count < 5 { throw Failure() }
            }
        }
        simulation.run(clock, until: start + .seconds(60))
        #expect(starts.withLock { $0 } == [.zero, .seconds(1), .seconds(3), .seconds(6), .seconds(9)])
        #expect(telemetry.exposition().contains(#"tocsin_operator_restarts_total{operator="windows"} 4"#))
        task.cancel()
    }

    @Test func `a supervisor that is cancelled in a pause ends at once`() async {
        let clock = ManualClock()
        let supervisor = supervisor(clock, Telemetry())
        let task = Task { await supervisor.run("windows") { throw Failure() } }
        await clock.waitForSleepers(count: 1)
        task.cancel()
        await task.value
    }
}
