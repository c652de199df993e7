import Streams

/// A simulated training job: a value that is advanced by time and tells its metrics, under the names that real jobs use.
struct TrainingJob {
    let scenario: Scenario
    private(set) var id: String
    let name: String
    private(set) var startedAt: Timestamp
    private var checkpointAt: Timestamp
    /// Nil while it trains.
    private var completedAt: Timestamp?
    private var run = 1
    private let number: Int
    private var age: Double = 0
    private var noise: Noise

    /// Simulated seconds until the scenario shows; before that the job is healthy.
    private static let onset = 30.0
    /// Simulated seconds that a healthy job trains.
    private static let length = 3600.0
    private static let checkpointInterval = 300.0
    /// How long a job that has completed still says so, in real time: long enough to be seen.
    private static let rest = Duration.seconds(30)
    private static let memoryLimit = 40.0 * 1_073_741_824

    init(_ scenario: Scenario, number: Int, at now: Timestamp, seed: UInt64) {
        self.scenario = scenario
        self.number = number
        id = "job-\(number)-1"
        name = "\(scenario.rawValue)-demo"
        startedAt = now
        checkpointAt = now
        noise = Noise(seed: seed &+ UInt64(number))
    }

    /// Lets `seconds` of simulated time pass.
    mutating func advance(by seconds: Double, at now: Timestamp) {
        let checkpoints = (age / Self.checkpointInterval).rounded(.down)
        age += seconds
        if (age / Self.checkpointInterval).rounded(.down) > checkpoints { checkpointAt = now }
        if let completedAt {
            if now - completedAt >= Self.rest { restart(at: now) }
        } else if age > Self.length, scenario == .healthy {
            completedAt = now
        }
    }

    /// Another run is another job: nobody compares its loss with that of the one before.
    private mutating func restart(at now: Timestamp) {
        run += 1
        id = "job-\(number)-\(run)"
        age = 0
        startedAt = now
        checkpointAt = now
        completedAt = nil
    }

    private var hasTrouble: Bool { age >= Self.onset }
    private var trouble: Double { max(0, age - Self.onset) }

    /// The job's metrics in the text format.
    mutating func exposition() -> String {
        var text = ""
        func line(_ metric: String, _ value: Double, _ extra: String = "") {
            text += "\(metric){job_id=\"\(id)\",job_name=\"\(name)\"\(extra)} \(formatFloat(value, .general))\n"
        }
        for status in Status.allCases {
            line("training_job_status", status == self.status ? 1 : 0, ",status=\"\(status)\"")
        }
        line("training_job_start_time_seconds", startedAt.seconds)
        line("training_job_timeout_seconds", scenario == .stalls ? Self.onset : 4 * Self.length)
        line("training_job_restarts_total", scenario == .crashes ? (trouble / 60).rounded(.up) : 0)
        line("training_progress_ratio", progress)
        line("training_loss", loss())
        line("training_validation_accuracy", accuracy())
        line("training_learning_rate", 0.001)
        line("training_samples_per_second", scenario == .stalls && hasTrouble ? 0 : 900 + 100 * noise.next())
        line("training_memory_usage_bytes", Self.memoryLimit * memoryShare())
        line("training_memory_limit_bytes", Self.memoryLimit)
        line("training_gradient_norm", scenario == .diverges ? 1 + trouble : 0.8 + 0.2 * noise.next())
        line("training_checkpoint_timestamp_seconds", checkpointAt.seconds)
        text += dataExposition()
        return text
    }

    private enum Status: CaseIterable { case running, completed, failed, stopped }

    private var status: Status {
        if scenario == .fails, hasTrouble { return .failed }
        return completedAt == nil ? .running : .completed
    }

    /// What a job says that is ended by its user, so that nobody misses it.
    func farewell() -> String {
        Status.allCases.map { status in
            "training_job_status{job_id=\"\(id)\",job_name=\"\(name)\",status=\"\(status)\"} \(status == .stopped ? 1 : 0)\n"
        }.joined()
    }

    private var progress: Double {
        let full = min(1, age / Self.length)
        return scenario == .stalls ? min(full, Self.onset / Self.length) : full
    }

    private mutating func loss() -> Double {
        let healthy = 4 / (1 + age / 60) * (1 + 0.01 * noise.next())
        switch scenario {
        case .nan where hasTrouble: return .nan
        case .diverges where hasTrouble: return min(1e9, healthy + trouble)
        // It overfits.
        case .plateaus where hasTrouble: return 4 / (1 + Self.onset / 60) + 0.02 + trouble / 1e6
        default: return healthy
        }
    }

    private mutating func accuracy() -> Double {
        let age = scenario == .plateaus ? min(self.age, Self.onset) : self.age
        return 0.95 - 0.9 / (1 + age / 120)
    }

    private mutating func memoryShare() -> Double {
        let healthy = 0.6 + 0.02 * noise.next()
        return scenario == .outOfMemory ? min(0.99, healthy + trouble / 100) : healthy
    }

    private mutating func dataExposition() -> String {
        let share = scenario == .drifts ? min(1, trouble / 60) : 0
        return [
            ("data_missing_values_ratio", 0.02 + 0.4 * share),
            ("data_drift_score", 0.1 + 0.8 * share + 0.01 * noise.next()),
            ("data_class_imbalance_ratio", 2 + 18 * share),
        ].map { metric, value in "\(metric){dataset=\"\(name)\"} \(formatFloat(value, .general))\n" }.joined()
    }
}

/// Numbers between 0 and 1 that are the same for the same seed (SplitMix64).
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }
}
