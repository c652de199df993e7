package import Streams

/// One node of the routing tree with everything that it inherits.
package struct Route: Hashable, Sendable {
    /// Its place in `RouteTree.routes`.
    package let index: Int
    /// Unlike the key, unique in the tree: `{}/{team="ml"}/0`.
    package let id: String
    /// The matchers on the way from the root, the first part of a group key: `{}/{team="ml"}`.
    package let key: String
    package let matchers: [Matcher]
    package let continues: Bool
    package let receiver: String
    package let groupBy: RouteSettings.GroupBy
    package let groupWait: Duration
    package let groupInterval: Duration
    package let repeatInterval: Duration
    package let muteTimeIntervals: [String]
    package let activeTimeIntervals: [String]
    package let labels: LabelSet
    package fileprivate(set) var children: [Int] = []

    package static let groupWaitDefault = Duration.seconds(30)
    package static let groupIntervalDefault = Duration.seconds(5 * 60)
    package static let repeatIntervalDefault = Duration.seconds(4 * 3600)

    fileprivate init(_ settings: RouteSettings, index: Int, position: Int, parent: Route?) {
        self.index = index
        matchers = settings.matchers.sorted(by: Matcher.isBefore)
        let own = matchers.alertmanagerText
        id = parent.map { "\($0.id)/\(own)/\(position)" } ?? own
        key = parent.map { "\($0.key)/\(own)" } ?? own
        continues = settings.continues
        receiver = settings.receiver ?? parent?.receiver ?? ""
        groupBy = settings.groupBy ?? parent?.groupBy ?? .labels([])
        groupWait = settings.groupWait ?? parent?.groupWait ?? Self.groupWaitDefault
        groupInterval = settings.groupInterval ?? parent?.groupInterval ?? Self.groupIntervalDefault
        repeatInterval = settings.repeatInterval ?? parent?.repeatInterval ?? Self.repeatIntervalDefault
        muteTimeIntervals = settings.muteTimeIntervals
        activeTimeIntervals = settings.activeTimeIntervals
        labels = (parent?.labels ?? LabelSet()).merging(settings.labels)
    }

    /// The labels that all alerts of a group share by definition.
    package func groupLabels(of labels: LabelSet) -> LabelSet {
        switch groupBy {
        case .all: labels
        case .labels(let names): labels.keeping(names)
        }
    }

    package func groupKey(_ groupLabels: LabelSet) -> String { "\(key):\(groupLabels.alertmanagerText)" }
}

/// The routing tree: says which routes an alert takes.
package struct RouteTree: Hashable, Sendable {
    /// The root first, each route before its children.
    package private(set) var routes: [Route] = []

    package init(_ root: RouteSettings) { _ = add(root, position: 0, parent: nil) }

    private mutating func add(_ settings: RouteSettings, position: Int, parent: Route?) -> Int {
        let route = Route(settings, index: routes.count, position: position, parent: parent)
        routes.append(route)
        for (position, child) in settings.routes.enumerated() {
            let index = add(child, position: position, parent: route)
            routes[route.index].children.append(index)
        }
        return route.index
    }

    /// The routes for an alert, in the order of the file: the deepest matching ones, one for each branch as far as
    /// `continue` goes. The root takes what nobody else does.
    package func match(_ labels: LabelSet) -> [Route] {
        var found: [Int] = []
        collect(0, labels, into: &found)
        return found.map { routes[$0] }
    }

    @discardableResult
    private func collect(_ index: Int, _ labels: LabelSet, into found: inout [Int]) -> Bool {
        let route = routes[index]
        guard route.matchers.accept(labels) else { return false }
        let before = found.count
        for child in route.children where collect(child, labels, into: &found) {
            if !routes[child].continues { break }
        }
        if found.count == before { found.append(index) }
        return true
    }
}
