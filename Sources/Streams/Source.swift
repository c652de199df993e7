/// Where samples come from. A source is given its `Ingest` when it is made.
///
/// It waits while the graph is full, takes nothing more once `run` is cancelled, and acknowledges a push only once its
/// batch is applied.
package protocol Source: Sendable {
    /// The key under `sources` that configures it: `scrape`.
    static var key: String { get }
    /// Runs until cancelled; throws when it can't go on, and is then started again.
    func run() async throws
    /// Called after `run` has ended because the source is no longer configured (not at shutdown): its series are over,
    /// which it says by stale markers.
    func retire() async
    /// Called before `run`, instead of the old one's `retire`, when a running source goes on under other settings: what
    /// both have goes on as if nothing had happened, the rest ends. The old one's `run` has ended.
    func takeOver(from old: any Source) async
}

extension Source {
    package func takeOver(from old: any Source) async { await old.retire() }
}
