import Actors
import Pipelines
import PromQL
import Streams
import Transport

/// What rules have found: `rules`, `alerts` and `alertmanagers`.
struct RuleRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.api("rules", services) { try await rules($0.parameters) }
        routes.api("alerts", services) { _ in await alerts() }
        // Alerts go through the pipelines' own routing, to no Alertmanager.
        routes.api("alertmanagers", services) { _ in
            APIAnswer(["activeAlertmanagers": [], "droppedAlertmanagers": []])
        }
    }

    private func alerts() async -> APIAnswer {
        let active = await services.graph.activeAlerts.sorted { $0.activeSince < $1.activeSince }
        return APIAnswer(["alerts": .array(active.map(Self.alert))])
    }

    private static func alert(_ alert: ActiveAlerts.Active) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("labels", .labels(alert.labels)), .init("annotations", .labels(alert.annotations)),
            .init("state", .string(alert.state.rawValue)), .init("activeAt", .string(alert.activeSince.rfc3339)),
        ]
        if let since = alert.keptSince { members.append(.init("keepFiringSince", .string(since.rfc3339))) }
        members.append(.init("value", .string(formatFloat(alert.value, .exponent))))
        return .object(members)
    }

    // MARK: rules

    private func rules(_ parameters: RequestParameters) async throws -> APIAnswer {
        try parameters.requireWellFormed()
        let filter = try RuleFilter(parameters)
        let page = try GroupPage(parameters)
        var groups: [JSONValue] = []
        var nextToken: String?
        var isReached = page.token == nil
        for group in await services.graph.ruleGroups {
            if !isReached {
                guard GroupPage.token(of: group) == page.token else { continue }
                isReached = true
            }
            let rules = filter.rules(of: group)
            if rules.isEmpty { continue }
            if let limit = page.limit, groups.count == limit {
                nextToken = GroupPage.token(of: group)
                break
            }
            groups.append(Self.group(group, rules, showsAlerts: filter.showsAlerts))
        }
        if !isReached {
            throw APIFailure.badData(
                parameter: "group_next_token",
                "invalid group_next_token '\(page.token ?? "")'. were rule groups changed?")
        }
        var members: [JSONValue.Member] = [.init("groups", .array(groups))]
        if let nextToken { members.append(.init("groupNextToken", .string(nextToken))) }
        return APIAnswer(.object(members))
    }

    private static func group(
        _ group: RuleGroupReport, _ rules: [RuleGroupReport.Rule], showsAlerts: Bool
    ) -> JSONValue {
        [
            "name": .string(group.name), "file": .string(group.file),
            "rules": .array(rules.map { rule($0, showsAlerts: showsAlerts) }),
            "interval": seconds(group.interval), "limit": .integer(Int64(group.limit)),
            "evaluationTime": seconds(group.lastDuration), "lastEvaluation": time(group.lastEvaluation),
        ]
    }

    private static func rule(_ rule: RuleGroupReport.Rule, showsAlerts: Bool) -> JSONValue {
        let settings = rule.settings
        var members: [JSONValue.Member] = []
        if settings.isAlert { members.append(.init("state", .string(state(of: rule)))) }
        members += [
            .init("name", .string(settings.name)), .init("query", .string(settings.expression.description)),
        ]
        if settings.isAlert {
            members += [
                .init("duration", seconds(settings.holdDuration)),
                .init("keepFiringFor", seconds(settings.keepFiringFor)),
            ]
        }
        members.append(.init("labels", .labels(LabelSet(settings.labels))))
        if settings.isAlert {
            members += [
                .init("annotations", .labels(LabelSet(settings.annotations))),
                .init("alerts", showsAlerts ? .array(rule.active.map(alert)) : .null),
            ]
        }
        let isEvaluated = rule.lastEvaluation != nil
        members.append(.init("health", !isEvaluated ? "unknown" : rule.lastError == nil ? "ok" : "err"))
        if let error = rule.lastError { members.append(.init("lastError", .string(error))) }
        members += [
            .init("evaluationTime", seconds(rule.lastDuration)), .init("lastEvaluation", time(rule.lastEvaluation)),
            .init("type", settings.isAlert ? "alerting" : "recording"),
        ]
        return .object(members)
    }

    private static func state(of rule: RuleGroupReport.Rule) -> String {
        if rule.lastEvaluation == nil { return "unknown" }
        if rule.active.contains(where: { $0.state == .firing }) { return "firing" }
        return rule.active.isEmpty ? "inactive" : "pending"
    }

    private static func seconds(_ duration: Duration) -> JSONValue {
        .number(formatFloat(duration.inSeconds, .fixed))
    }

    /// Go's zero time stands for never.
    private static func time(_ time: Timestamp?) -> JSONValue { .string(time?.rfc3339 ?? "0001-01-01T00:00:00Z") }
}

/// Which rules a client asks for.
private struct RuleFilter {
    private let names: Set<String>
    private let groups: Set<String>
    private let files: Set<String>
    private let selectors: [[Matcher]]
    private let type: String?
    let showsAlerts: Bool

    init(_ parameters: RequestParameters) throws(APIFailure) {
        names = Set(parameters.all("rule_name[]"))
        groups = Set(parameters.all("rule_group[]"))
        files = Set(parameters.all("file[]"))
        selectors = try parameters.selectors()
        type = parameters.inURL("type")?.lowercased()
        if let type, type != "alert", type != "record" {
            throw .badData(parameter: "type", "not supported value \(quoted(type))")
        }
        guard let text = parameters.inURL("exclude_alerts")?.lowercased() else {
            showsAlerts = true
            return
        }
        guard let excludes = RequestParameters.boolean(text) else {
            throw .badData(
                parameter: "exclude_alerts",
                "error converting exclude_alerts: strconv.ParseBool: parsing \(quoted(text)): invalid syntax")
        }
        showsAlerts = !excludes
    }

    func rules(of group: RuleGroupReport) -> [RuleGroupReport.Rule] {
        if !groups.isEmpty, !groups.contains(group.name) { return [] }
        if !files.isEmpty, !files.contains(group.file) { return [] }
        return group.rules.filter(accepts)
    }

    private func accepts(_ rule: RuleGroupReport.Rule) -> Bool {
        if !names.isEmpty, !names.contains(rule.settings.name) { return false }
        if let type, rule.settings.isAlert != (type == "alert") { return false }
        if selectors.isEmpty { return true }
        let labels = LabelSet(rule.settings.labels)
        return selectors.contains { $0.allSatisfy { $0.accepts(labels[$0.name] ?? "") } }
    }
}

/// Which part of the groups a client asks for.
private struct GroupPage {
    let limit: Int?
    let token: String?

    init(_ parameters: RequestParameters) throws(APIFailure) {
        token = parameters.inURL("group_next_token")
        guard let text = parameters.inURL("group_limit") else {
            limit = nil
            if token != nil {
                throw .badData(
                    parameter: "group_next_token",
                    "group_limit needs to be present in order to paginate over the groups")
            }
            return
        }
        do throws(GoInteger.Malformed) {
            limit = try GoInteger.parse(text, function: "ParseInt")
        } catch {
            throw .badData(parameter: "group_limit", "group_limit needs to be a valid number: \(error)")
        }
        if let limit, limit <= 0 {
            throw .badData(parameter: "group_limit", "group_limit needs to be greater than 0")
        }
    }

    /// Tells a group from all others, without saying where its file lies.
    static func token(of group: RuleGroupReport) -> String { Digest.sha256("\(group.file);\(group.name)") }
}
