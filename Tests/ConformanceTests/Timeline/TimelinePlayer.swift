import Actors
import Foundation
import Logging
import Streams
import TestKit
import YAML

/// Plays one scenario of the corpus in virtual time against the notifier, and says what went otherwise than expected.
final class TimelinePlayer {
    struct Unplayable: Error, CustomStringConvertible {
        let description: String
    }

    private let scenario: Node
    private let clock = ManualClock()
    private let start: Timestamp
    private let simulation: SimulatedExecutor
    private let random: RandomSource
    private var webhooks: [String: ScriptedWebhook] = [:]
    private var problems: [String] = []
    private var resolveTimeout = Duration.seconds(300)
    private var config: String
    private var firstFlush = Timestamp.distantPast

    /// Ids of silences by the names that the scenario has for them.
    private var silences: [String: String] = [:]

    // The notifier that runs now.
    private var notifier: Notifier?
    private var running: Task<Void, Never>?

    init(_ text: String, seed: UInt64) throws {
        scenario = try Node.parse(text)
        simulation = SimulatedExecutor(seed: seed)
        random = RandomSource(SeededGenerator(seed: seed))
        start = clock.now()
        config = scenario["config"]?.text ?? ""
        for entry in scenario["webhooks"]?.entries ?? [] {
            webhooks[entry.key.text ?? ""] = ScriptedWebhook(entry.value)
        }
        for argument in scenario["args"]?.texts ?? [] {
            let delay = try argument.prefixed("--dispatch.start-delay=").map { try Duration.parse(prometheus: $0) }
            guard let delay else { throw Unplayable(description: "argument \(argument)") }
            firstFlush = start + delay
        }
    }

    func play() throws -> [String] {
        try configure(config, continuing: nil)
        defer { stop() }
        let events = (scenario["timeline"]?.items ?? []).sorted { $0.number("at") < $1.number("at") }
        for event in events {
            simulation.run(clock, until: time(event.number("at")))
            try carryOut(event)
        }
        let expected = scenario["expect"]?.entries ?? []
        let last = expected.flatMap { $0.value.items ?? [] }.compactMap {
            $0["between"]?.items?.last?.text.flatMap(Double.init)
        }
        let end = max(scenario.number("duration"), last.max() ?? 0) + 0.1
        simulation.run(clock, until: time(end))
        for (name, webhook) in webhooks.sorted(by: { $0.key < $1.key }) { check(name, webhook) }
        return problems
    }

    // MARK: events

    private func carryOut(_ event: Node) throws {
        if let silence = event["post_silence"] { try post(silence: silence) }
        if let name = event["delete_silence"]?.text { try delete(silence: name) }
        if let path = event["get"]?.text { try get(path, event["expect"]?["body"]?.items ?? []) }
        if let alerts = event["post_alerts"]?.items { post(alerts, wantsError: event["expect"] != nil) }
        if let reload = event["reload"] { try self.reload(reload, wantsError: event["expect"] != nil) }
    }

    private func post(_ nodes: [Node], wantsError: Bool) {
        var alerts: [Alert] = []
        var isBad = false
        for node in nodes {
            let posted = PostedAlert(
                labels: Self.labels(node["labels"]), annotations: Self.labels(node["annotations"]),
                startsAt: node.optionalNumber("starts").map(time), endsAt: node.optionalNumber("ends").map(time),
                generatorURL: node["generatorURL"]?.text ?? "")
            do {
                alerts.append(try posted.alert(at: clock.now(), resolveTimeout: resolveTimeout))
            } catch {
                isBad = true
            }
        }
        if isBad != wantsError { problems.append("posting alerts: want error \(wantsError), got \(isBad)") }
        try? notifier?.inbox.trySend(alerts)
        simulation.runUntilIdle()
    }

    private func reload(_ node: Node, wantsError: Bool) throws {
        let text = node.text == "true" ? config : node.text ?? ""
        do { _ = try routing(text) } catch {
            if !wantsError { throw error }
            return
        }
        if wantsError { problems.append("a bad configuration was taken") }
        let state = stop()
        try configure(text, continuing: state.map { .init($0, by: .reload) })
    }

    private func post(silence node: Node) throws {
        let matchers = (node["matchers"]?.items ?? []).map { matcher in
            let isEqual = matcher["isEqual"]?.text != "false"
            let op: Matcher.Operator =
                matcher["isRegex"]?.text == "true" ? (isEqual ? .matches : .notMatches) : (isEqual ? .equal : .notEqual)
            return SilenceDraft.MatcherText(matcher["name"]?.text ?? "", op, matcher["value"]?.text ?? "")
        }
        let draft = SilenceDraft(
            id: node["replace"]?.text.flatMap { silences[$0] } ?? "", matchers: matchers,
            startsAt: time(node.number("starts")), endsAt: time(node.number("ends")), createdBy: "t", comment: "t")
        silences[node["name"]?.text ?? ""] = try ask { try await $0.set(draft) }
    }

    private func delete(silence name: String) throws {
        guard let id = silences[name] else { throw Unplayable(description: "no silence named \(name)") }
        try ask { try await $0.expire(silence: id) }
    }

    /// What the API would show.
    private func get(_ path: String, _ wanted: [Node]) throws {
        let dispatcher = try ask { await $0.snapshot() }
        let shown = ShownState(dispatcher, path, at: clock.now())
        problems += shown.differences(from: wanted).map { "\(path): \($0)" }
    }

    /// Carries out something on the notifier, in the simulation.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (Notifier) async throws -> Answer
    ) throws -> Answer {
        guard let notifier else { throw Unplayable(description: "nothing runs") }
        let box = Box<Result<Answer, any Error>>()
        let task = Task(executorPreference: simulation) {
            do { box.content = .success(try await question(notifier)) } catch { box.content = .failure(error) }
        }
        simulation.runUntilIdle()
        _ = task
        guard let result = box.content else { throw Unplayable(description: "no answer") }
        return try result.get()
    }

    // MARK: the notifier

    private func configure(_ text: String, continuing: Notifier.Continuation?) throws {
        config = text
        let node = try Node.parse(text)
        if let timeout = node["global"]?["resolve_timeout"]?.text {
            resolveTimeout = try Duration.parse(prometheus: timeout)
        }
        let receivers = try (node["receivers"]?.items ?? []).map { receiver in
            Notifier.Receiver(
                name: receiver["name"]?.text ?? "",
                sinks: try (receiver["webhook_configs"]?.items ?? []).map(sink))
        }
        let inbox = Edge<[Alert]>(EdgeName(pipeline: "test", from: "api", to: "notify"), capacity: .init(elements: 64))
        let notifier = Notifier(
            pipeline: "test", routing: try routing(text), receivers: receivers, externalURL: "http://test",
            inbox: inbox, firstFlush: firstFlush, continuing: continuing,
            in: .init(
                clock: clock, random: random, telemetry: Telemetry(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        self.notifier = notifier
        running = Task(executorPreference: simulation) { await notifier.run() }
        simulation.runUntilIdle()
    }

    @discardableResult
    private func stop() -> DispatcherState? {
        guard let notifier, let running else { return nil }
        running.cancel()
        let box = Box<DispatcherState>()
        let task = Task(executorPreference: simulation) { box.content = await notifier.state() }
        simulation.runUntilIdle()
        _ = task
        let state = box.content
        self.notifier = nil
        return state
    }

    // Written and read on the test's thread alone: the simulation runs there.
    private final class Box<Content: Sendable>: @unchecked Sendable {
        var content: Content?
    }

    private func sink(_ node: Node) throws -> any Sink {
        let url = node["url"]?.text ?? ""
        let name = url.split(separator: "<").last?.prefix { $0 != ">" }.description ?? ""
        return ScriptedWebhookSink(
            sendsResolved: node["send_resolved"]?.text != "false", alertsMax: Int(node.number("max_alerts")),
            timeout: try node["timeout"]?.text.map { try Duration.parse(prometheus: $0) },
            // What the file names and does not declare is there, and nobody looks.
            webhook: webhooks[name] ?? ScriptedWebhook(nil), clock: clock, start: start)
    }

    private func time(_ seconds: Double) -> Timestamp { start + .milliseconds(Int64((seconds * 1000).rounded())) }

    // MARK: what was expected

    private func check(_ name: String, _ webhook: ScriptedWebhook) {
        let got = webhook.accepted
        var used: Set<Int> = []
        for wanted in scenario["expect"]?[name]?.items ?? [] {
            let between = (wanted["between"]?.texts ?? []).compactMap(Double.init)
            let found = got.indices.first { index in
                !used.contains(index) && between.count == 2 && (between[0]...between[1]).contains(got[index].at)
                    && matches(wanted, got[index])
            }
            if let found { used.insert(found) } else { problems.append("\(name): nothing like \(described(wanted))") }
        }
        for index in got.indices where !used.contains(index) {
            problems.append("\(name): unexpected \(described(got[index]))")
        }
        if let bounds = scenario["attempts"]?[name]?.texts.compactMap(Int.init), bounds.count == 2,
            !(bounds[0]...bounds[1]).contains(webhook.received.count)
        {
            problems.append("\(name): \(webhook.received.count) requests instead of \(bounds)")
        }
    }

    private func matches(_ wanted: Node, _ request: ScriptedWebhook.Request) -> Bool {
        var left = request.notification.alerts
        for alert in wanted["alerts"]?.items ?? [] {
            guard let index = left.firstIndex(where: { isAlert(alert, $0, request.notification.time) }) else {
                return false
            }
            left.remove(at: index)
        }
        return left.isEmpty && isPayload(wanted["payload"], request)
    }

    private func isAlert(_ wanted: Node, _ alert: Alert, _ time: Timestamp) -> Bool {
        guard Self.labels(wanted["labels"]) == alert.labels, Self.labels(wanted["annotations"]) == alert.annotations
        else { return false }
        func isNear(_ key: String, _ time: Timestamp?) -> Bool {
            guard let seconds = wanted.optionalNumber(key) else { return true }
            guard let time else { return false }
            let tolerance = scenario.optionalNumber("tolerance") ?? 0.15
            return abs((time - start).inSeconds - seconds) <= tolerance
        }
        guard isNear("starts", alert.startsAt) else { return false }
        let wantsResolved = wanted["ends"] != nil
        return alert.isResolved(at: time) == wantsResolved
            && (wantsResolved ? isNear("ends", alert.endsAt) : alert.endsAt == nil)
    }

    private func isPayload(_ wanted: Node?, _ request: ScriptedWebhook.Request) -> Bool {
        let notification = request.notification
        for (key, value) in (wanted?.entries ?? []).map({ ($0.key.text ?? "", $0.value) }) {
            let isEqual =
                switch key {
                case "groupKey": value.text == notification.groupKey
                case "receiver": value.text == notification.receiver
                case "status": value.text == notification.status.rawValue
                case "version": value.text == "4"
                case "truncatedAlerts": value.text == "\(request.truncated)"
                case "groupLabels": Self.labels(value) == notification.groupLabels
                case "commonLabels": Self.labels(value) == notification.commonLabels
                case "commonAnnotations": Self.labels(value) == notification.commonAnnotations
                case "alerts":
                    // The rest of an alert was looked at already; here the fields that only a payload names.
                    (value.items ?? []).allSatisfy { alert in
                        notification.alerts.contains {
                            $0.labels == Self.labels(alert["labels"])
                                && $0.generatorURL == (alert["generatorURL"]?.text ?? $0.generatorURL)
                        }
                    }
                default: false
                }
            if !isEqual { return false }
        }
        return true
    }

    private func described(_ node: Node) -> String {
        let alerts = (node["alerts"]?.items ?? []).map {
            "\(Self.labels($0["labels"]))\($0["ends"] == nil ? "" : " resolved")"
        }
        return "\(node["between"]?.texts ?? []) \(alerts)"
    }

    private func described(_ request: ScriptedWebhook.Request) -> String {
        let alerts = request.notification.alerts.map {
            "\($0.labels) [\(($0.startsAt - start).inSeconds), \($0.endsAt.map { "\(($0 - start).inSeconds)" } ?? "-")]"
        }
        return "@\(request.at) \(request.notification.groupKey) \(alerts)"
    }

    static func labels(_ node: Node?) -> LabelSet {
        LabelSet((node?.textPairs ?? []).map { Label($0.key, $0.value) })
    }
}

extension Node {
    fileprivate func optionalNumber(_ key: String) -> Double? { self[key]?.text.flatMap(Double.init) }
    fileprivate func number(_ key: String) -> Double { optionalNumber(key) ?? 0 }
}

extension String {
    fileprivate func prefixed(_ prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
