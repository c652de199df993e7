package import Streams

/// One event of the alert stream, as a subscriber gets it and as server-sent events carry it.
package enum AlertStreamItem: Sendable, Hashable {
    /// A change of state.
    case transition(id: String, AlertTransition)
    /// Events that this subscriber will not see: he was too slow, or comes back too late. `count` is nil where it is not
    /// known, since he knows another run of the program; it counts all events, also those that his matchers leave out.
    case missed(id: String, count: UInt64?)

    /// What a client names as `Last-Event-ID` to go on after this event.
    package var id: String {
        switch self {
        case .transition(let id, _), .missed(let id, _): id
        }
    }

    /// The event's type: `firing`, `pending`, `resolved` (it fired), `inactive` (it was pending), `missed`.
    package var type: String {
        switch self {
        case .transition(_, let transition): transition.eventType
        case .missed: "missed"
        }
    }

    /// The event's data: one line of JSON.
    package var json: String {
        switch self {
        case .transition(_, let transition):
            JSONValue.object([
                .init("type", .string(type)),
                .init("time", .string(transition.time.rfc3339)),
                .init("pipeline", .string(transition.pipeline)),
                .init("group", .string(transition.group)),
                .init("rule", .string(transition.rule)),
                .init("labels", .labels(transition.labels)),
                .init("annotations", .labels(transition.annotations)),
                .init("value", transition.value.map { .string(formatFloat($0, .fixed)) } ?? .null),
                .init("activeAt", .string(transition.activeSince.rfc3339)),
            ]).text
        case .missed(let id, let count):
            JSONValue.object([
                .init("type", .string("missed")),
                .init("count", count.map { .integer(Int64(clamping: $0)) } ?? .null),
                .init("until", .string(id)),
            ]).text
        }
    }
}

extension AlertTransition {
    fileprivate var eventType: String {
        switch (from, to) {
        case (.firing, .inactive): "resolved"
        default: to.rawValue
        }
    }
}
