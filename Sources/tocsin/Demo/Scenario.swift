import ArgumentParser

/// What becomes of a simulated training job.
enum Scenario: String, CaseIterable, Sendable, ExpressibleByArgument {
    case healthy
    case fails
    case outOfMemory = "out-of-memory"
    case crashes
    case stalls
    case diverges
    case nan
    case plateaus
    case drifts

    var story: String {
        switch self {
        case .healthy: "trains to the end, again and again"
        case .fails: "reports the status failed"
        case .outOfMemory: "grows beyond 95 % of its memory"
        case .crashes: "is restarted now and then"
        case .stalls: "stops making progress and outlives its timeout"
        case .diverges: "has a loss that rises beyond 10"
        case .nan: "computes a loss that is not a number"
        case .plateaus: "learns nothing more"
        case .drifts: "is fed data that drifts and has gaps"
        }
    }

    /// The alerts of the pipelines that ship, and how long the trouble lasts before they fire, in real time.
    var alerts: String {
        switch self {
        case .healthy: "none"
        case .fails: "TrainingJobFailed after 1m"
        case .outOfMemory: "TrainingOutOfMemory after 2m"
        case .crashes: "TrainingJobCrashed after 1m"
        case .stalls: "TrainingJobTimeout after 5m, TrainingProgressSlow after 25m"
        case .diverges: "TrainingLossHigh after 10m"
        case .nan: "TrainingLossNotFinite at once"
        case .plateaus: "TrainingLossNotDecreasing after 1h, ValidationAccuracyStagnant after 2h"
        case .drifts: "HighMissingValues and ImbalancedClasses after 5m, DataDistributionShift after 10m"
        }
    }
}
