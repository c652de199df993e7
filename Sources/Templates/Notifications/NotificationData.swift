internal import Streams

/// A notification as templates see it: Alertmanager's `template.Data`.
struct NotificationData: Sendable {
    struct AlertData: Sendable {
        var isFiring: Bool
        var labels: [String: String]
        var annotations: [String: String]
        var startsAt: Moment
        var endsAt: Moment
        var generatorURL: String
        var fingerprint: String
    }

    var receiver = ""
    var isFiring = true
    var alerts: [AlertData] = []
    var groupLabels: [String: String] = [:]
    var commonLabels: [String: String] = [:]
    var commonAnnotations: [String: String] = [:]
    var routeLabels: [String: String] = [:]
    var externalURL = ""
    var reason = ""

    init() {}

    init(_ notification: Notification) {
        receiver = Self.escapedForExpressions(notification.receiver)
        isFiring = notification.status == .firing
        alerts = notification.alerts.map { alert in
            let isResolved = alert.isResolved(at: notification.time)
            return AlertData(
                isFiring: !isResolved, labels: Self.dictionary(alert.labels),
                annotations: Self.dictionary(alert.annotations),
                startsAt: Moment(milliseconds: alert.startsAt.milliseconds),
                // An end that is yet to come is only a guess.
                endsAt: isResolved ? alert.endsAt.map { Moment(milliseconds: $0.milliseconds) } ?? .zero : .zero,
                generatorURL: alert.generatorURL, fingerprint: alert.fingerprint.description)
        }
        groupLabels = Self.dictionary(notification.groupLabels)
        commonLabels = Self.dictionary(notification.commonLabels)
        commonAnnotations = Self.dictionary(notification.commonAnnotations)
        routeLabels = Self.dictionary(notification.routeLabels)
        externalURL = notification.externalURL
        reason = notification.reason
    }

    private static func dictionary(_ labels: LabelSet) -> [String: String] {
        Dictionary(labels.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    /// `regexp.QuoteMeta`: Alertmanager puts the receiver's name into its links as an expression.
    private static func escapedForExpressions(_ name: String) -> String {
        TextEscaping.replace(name) { "\\.+*?()|[]{}^$".unicodeScalars.contains($0) ? "\\\($0)" : nil }
    }

    var value: Value {
        .record(
            Record(
                NotificationTypes.data,
                [
                    .string(receiver), .string(isFiring ? "firing" : "resolved"),
                    .list(List(NotificationTypes.alerts, alerts.map(\.value))), NotificationTypes.labels(groupLabels),
                    NotificationTypes.labels(commonLabels), NotificationTypes.labels(commonAnnotations),
                    .string(externalURL), NotificationTypes.labels(routeLabels), .string(reason),
                ]))
    }
}

extension NotificationData.AlertData {
    fileprivate var value: Value {
        .record(
            Record(
                NotificationTypes.alert,
                [
                    .string(isFiring ? "firing" : "resolved"), NotificationTypes.labels(labels),
                    NotificationTypes.labels(annotations), .time(startsAt), .time(endsAt), .string(generatorURL),
                    .string(fingerprint),
                ]))
    }
}

/// The types of `template.Data` with their methods.
enum NotificationTypes {
    static let data = RecordType(
        name: "*template.Data",
        fields: [
            "Receiver", "Status", "Alerts", "GroupLabels", "CommonLabels", "CommonAnnotations", "ExternalURL",
            "RouteLabels", "NotificationReason",
        ],
        jsonNames: [
            "receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL",
            "routeLabels", "notificationReason",
        ])

    static let alert = RecordType(
        name: "template.Alert",
        fields: ["Status", "Labels", "Annotations", "StartsAt", "EndsAt", "GeneratorURL", "Fingerprint"],
        jsonNames: ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"])

    static let alerts = ListType(
        name: "template.Alerts", elementName: "template.Alert",
        methods: ["Firing": alerts(status: "firing"), "Resolved": alerts(status: "resolved")])

    private static func alerts(status: String) -> Function {
        .property { alerts in
            let matching = alerts.elements.filter {
                if case .record(let alert) = $0 { return alert.value("Status")?.text == status }
                return false
            }
            return .list(List(NotificationTypes.alerts, matching))
        }
    }

    static let strings = ListType(
        name: "template.Strings", elementName: "string",
        methods: [
            "Join": Function(.string) { _, arguments in
                .string(arguments[0].elements.map(\.text).joined(separator: arguments[1].text))
            }
        ])

    static let pair = RecordType(name: "template.Pair", fields: ["Name", "Value"])

    static let pairs = ListType(
        name: "template.Pairs", elementName: "template.Pair",
        methods: [
            "Names": .property { strings(of: "Name", in: $0) }, "Values": .property { strings(of: "Value", in: $0) },
            "String": .property { .string($0.ownText ?? "") },
        ],
        text: { pairs in
            pairs.elements.map { element in
                guard case .record(let pair) = element else { return "" }
                return pair.values.map(\.text).joined(separator: "=")
            }.joined(separator: ", ")
        })

    private static func strings(of field: String, in pairs: Value) -> Value {
        let values = pairs.elements.map { element -> Value in
            guard case .record(let pair) = element else { return .string("") }
            return pair.value(field) ?? .string("")
        }
        return .list(List(strings, values))
    }

    static let keyValues = MapType(
        name: "template.KV", elementName: "string", zero: .string(""),
        methods: [
            "SortedPairs": .property { sortedPairs($0) },
            "Names": .property { strings(of: "Name", in: sortedPairs($0)) },
            "Values": .property { strings(of: "Value", in: sortedPairs($0)) },
            "String": .property { .string($0.ownText ?? "") },
            "Remove": Function(.strings) { _, arguments in
                guard case .map(let map) = arguments[0] else { return arguments[0] }
                let names = Set(arguments[1].elements.map(\.text))
                return .map(Map(map.type, map.entries.filter { !names.contains($0.key) }))
            },
        ],
        text: { map in sortedPairs(.map(map)).ownText ?? "" })

    static func labels(_ labels: [String: String]) -> Value { .map(Map(keyValues, labels.mapValues(Value.string))) }

    /// By name, but alertname first.
    private static func sortedPairs(_ value: Value) -> Value {
        guard case .map(let map) = value else { return value }
        let first = map.entries["alertname"] == nil ? [] : ["alertname"]
        let names = first + map.sortedKeys.filter { $0 != "alertname" }
        let pairs = names.map { Value.record(Record(pair, [.string($0), map.entries[$0] ?? .string("")])) }
        return .list(List(NotificationTypes.pairs, pairs))
    }
}
