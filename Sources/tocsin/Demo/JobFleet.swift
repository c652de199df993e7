import Streams

/// The demo's jobs: half of them wait to be scraped, the others are pushed.
actor JobFleet {
    private var jobs: [TrainingJob]
    private let clock: any WallClock
    private let speed: Double
    private var last: Timestamp

    /// - Parameter speed: simulated seconds in a second.
    init(_ scenarios: [Scenario], speed: Double, clock: any WallClock, seed: UInt64) {
        let now = clock.now()
        jobs = scenarios.enumerated().map { number, scenario in
            TrainingJob(scenario, number: number + 1, at: now, seed: seed)
        }
        self.clock = clock
        self.speed = speed
        last = now
    }

    static func isPushed(_ place: Int) -> Bool { place % 2 == 1 }

    private func advance() {
        let now = clock.now()
        let seconds = max(0, (now - last).inSeconds) * speed
        for place in jobs.indices { jobs[place].advance(by: seconds, at: now) }
        last = now
    }

    /// What a scrape gets.
    func scraped() -> String {
        advance()
        return jobs.indices.filter { !Self.isPushed($0) }.map { jobs[$0].exposition() }.joined()
    }

    /// What is pushed, by the name of the group.
    func pushed() -> [(group: String, text: String)] {
        advance()
        return jobs.indices.filter(Self.isPushed).map { (jobs[$0].name, jobs[$0].exposition()) }
    }

    /// What all jobs say at the end of the demo.
    func farewell() -> String { jobs.map { $0.farewell() }.joined() }

    var descriptions: [(id: String, name: String, scenario: Scenario, isPushed: Bool)] {
        jobs.enumerated().map { ($1.id, $1.name, $1.scenario, Self.isPushed($0)) }
    }
}
