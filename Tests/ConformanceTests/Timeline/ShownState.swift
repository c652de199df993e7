import Actors
import Streams
import TestKit
import YAML

/// What a request to the API would show of alerts or groups, as far as scenarios look at it.
struct ShownState {
    private struct Item {
        var labels: LabelSet
        var receiver: String?
        var state: String?
        var isSilenced: Bool?
        var isInhibited: Bool?
    }

    private let items: [Item]

    init(_ dispatcher: Dispatcher, _ path: String, at now: Timestamp) {
        func leavesOut(_ name: String) -> Bool { path.contains("\(name)=false") }
        func isShown(_ alert: ShownAlert) -> Bool {
            !(leavesOut("silenced") && !alert.silencedBy.isEmpty)
                && !(leavesOut("inhibited") && alert.inhibitedBy != nil)
        }
        if path.hasPrefix("/api/v2/alerts/groups") {
            items = dispatcher.shownGroups([], at: now, receivers: { _ in true }, alerts: isShown).map {
                Item(labels: $0.labels, receiver: $0.receiver)
            }
        } else {
            items = dispatcher.shownAlerts([], at: now).filter(isShown).map { shown in
                Item(
                    labels: shown.alert.labels, state: shown.isSuppressed ? "suppressed" : "active",
                    isSilenced: !shown.silencedBy.isEmpty, isInhibited: shown.inhibitedBy != nil)
            }
        }
    }

    /// In any order.
    func differences(from wanted: [Node]) -> [String] {
        var left = items
        var problems: [String] = []
        for node in wanted {
            if let place = left.firstIndex(where: { fits($0, node) }) {
                left.remove(at: place)
            } else {
                problems.append("nothing like \(TimelinePlayer.labels(node["labels"]))")
            }
        }
        return problems + left.map { "unexpected \($0)" }
    }

    private func fits(_ item: Item, _ node: Node) -> Bool {
        func isEmpty(_ key: String) -> Bool { node["status"]?[key]?.items?.isEmpty ?? false }
        if item.labels != TimelinePlayer.labels(node["labels"]) { return false }
        if let receiver = node["receiver"]?["name"]?.text, receiver != item.receiver { return false }
        if let state = node["status"]?["state"]?.text, state != item.state { return false }
        return !(isEmpty("silencedBy") && item.isSilenced == true)
            && !(isEmpty("inhibitedBy") && item.isInhibited == true)
    }
}
