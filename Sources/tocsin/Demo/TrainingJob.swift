import Streams

/// A simulated training job: a value that is advanced by time and tells its metrics, under the names that real jobs use.
struct TrainingJob {
    let scenario: Scenario
    let id: String
    let name: String
    private(set) var startedAt: Timestamp
    private var checkpointAt: Timestamp
    private var age: Double = 0
    private var noise: Noise

    /// Simulated seconds until the scenario shows; before that the job is healthy.
    private static let onset = 30.0
    /// Simulated seconds that a healthy job trains.
    private static let length = 3600.0
    private static let checkpointInterval = 300.0
    private static let memoryLimit = 40.0 * 1_073_741_824

    init(_ scenario: Scenario, number: Int, at now: Timestamp, seed: UInt64) {
        self.scenario = scenario
        id = "job-\(1000 + number)"
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
        if age > Self.length, scenario == .healthy || scenario == .drifts {
            age = 0
            startedAt = now
        }
    }

    private var hasTrouble: Bool { age >= Self.onset }
    private var trouble: Double { max(0, age - Self.onset) }

    /// The job's metrics in the text format.
    mutating func exposition() -> String {
        var text = ""
        func line(_ metric: String, _ value: Double, _ extra: String = "") {
            text += "\(metric){job_id=\"\(id)\",job_name=\"\(name)\"\(extra)} \(formatFloat(value, .general))\n"
        }
        let failed = scenario == .fails && hasTrouble
        for status in ["running", "failed", "completed"] {
            line("training_job_status", status == (failed ? "failed" : "running") ? 1 : 0, ",status=\"\(status)\"")
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

    private var progress: Double {
        let full = min(1, age / Self.length)
        return scenario == .stalls ? min(full, Self.onset / Self.length) : full
    }

    private mutating func loss() -> Double {
        let healthy = 4 / (1 + age / 60) + 0.02 * noise.next()
        switch scenario {
        case .nan where hasTrouble: return .nan
        case .diverges where hasTrouble: return min(1e9, healthy + trouble)
        case .plateaus where hasTrouble: return 4 / (1 + Self.onset / 60) + 0.01 + 0.02 * noise.next()
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
