package import Streams

/// What the dispatcher of one pipeline goes by.
package struct DispatcherSettings: Sendable {
    package var pipeline: String
    package var routes: RouteTree
    package var inhibitRules: [InhibitRule]
    package var timeIntervals: [String: [RecurringInterval]]
    /// The integrations of each receiver, in the order of the file.
    package var receivers: [String: [IntegrationInfo]]
    package var externalURL: String
    /// No group is flushed before: time for the first alerts to come in after a start.
    package var firstFlush: Timestamp
    package var alertsMax: Int
    package var groupsMax: Int

    package init(
        pipeline: String, routing: RoutingSettings, receivers: [String: [IntegrationInfo]], externalURL: String,
        firstFlush: Timestamp = .distantPast, alertsMax: Int = 1_000_000, groupsMax: Int = 1_000_000
    ) {
        self.pipeline = pipeline
        routes = RouteTree(routing.route)
        inhibitRules = routing.inhibitRules
        timeIntervals = routing.timeIntervals
        self.receivers = receivers
        self.externalURL = externalURL
        self.firstFlush = firstFlush
        self.alertsMax = alertsMax
        self.groupsMax = groupsMax
    }

    func integrations(of route: Route) -> [IntegrationInfo] { receivers[route.receiver] ?? [] }

    /// Whether the route tells nothing at this time.
    func isMuted(_ route: Route, at now: Timestamp) -> Bool {
        func holds(_ name: String) -> Bool { timeIntervals[name]?.contain(now) ?? false }
        if route.muteTimeIntervals.contains(where: holds) { return true }
        return !route.activeTimeIntervals.isEmpty && !route.activeTimeIntervals.contains(where: holds)
    }
}
