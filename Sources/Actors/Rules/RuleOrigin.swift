import Streams

/// Marks what a rule itself writes, so that its samples pass the gate without a permit: the consumer of the edge can't wait
/// for room in it. How much of that there can be is bounded by the number of rules, since inboxes merge.
enum RuleOrigin {
    /// The rule whose evaluation the current task carries out.
    @TaskLocal static var current: InterestID?
}
