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
    package var silences: Silences.Limits

    package init(
        pipeline: String, routing: RoutingSettings, receivers: [String: [IntegrationInfo]], externalURL: String,
        firstFlush: Timestamp = .distantPast, alertsMax: Int = 1_000_000, groupsMax: Int = 1_000_000,
        silences: Silences.Limits = .init()
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
        self.silences = silences
    }

    func integrations(of route: Route) -> [IntegrationInfo] { receivers[route.receiver] ?? [] }

    /// Whether the route tells nothing at this time.
    func isMuted(_ route: Route, at now: Timestamp) -> Bool { !mutingIntervals(of: route, at: now).isEmpty }

    /// The time intervals for which the route tells nothing at this time: those that mute it, or all in which alone it
    /// would be active.
    func mutingIntervals(of route: Route, at now: Timestamp) -> [String] {
        if route.muteTimeIntervals.isEmpty, route.activeTimeIntervals.isEmpty { return [] }
        func holds(_ name: String) -> Bool { timeIntervals[name]?.contain(now) ?? false }
        let muting = route.muteTimeIntervals.filter(holds)
        if !muting.isEmpty { return muting }
        return route.activeTimeIntervals.contains(where: holds) ? [] : route.activeTimeIntervals
    }
}
