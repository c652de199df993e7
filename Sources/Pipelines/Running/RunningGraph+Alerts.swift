package import Actors

extension RunningGraph {
    /// What each notification side knows of its alerts, in the order of the pipelines.
    /// - Parameter pipeline: only that of this one; nil: all.
    package func dispatchers(of pipeline: String?) async -> [Dispatcher] {
        var result: [Dispatcher] = []
        for plan in plan.pipelines where pipeline == nil || plan.name == pipeline {
            if let notifier = notifiers[plan.name]?.component.value { result.append(await notifier.snapshot()) }
        }
        return result
    }
}
