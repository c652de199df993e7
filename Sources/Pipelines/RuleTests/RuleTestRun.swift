internal import Actors
internal import Logging
internal import PromQL
internal import Storage
internal import Streams
internal import YAML

/// One test at work: the rule engine over a store of its own, evaluated from interval to interval.
struct RuleTestRun {
    /// Why a test can't begin.
    struct Unplayable: Error {
        var failures: [RuleTestFailure]
    }

    /// More evaluations are refused: the times of a test are anything that a duration can say.
    private static let evaluationsMax: Int64 = 10_000_000

    let test: RuleTest
    let settings: RuleTestPlayer.Settings
    let isFuzzy: Bool
    let store: SeriesStore
    let interval: Duration
    private let clock: RuleTestClock
    private let ingest: StoreIngest
    private let groups: [RuleGroupOperator<SeriesStore>]
    private var input: RuleTestInput
    private(set) var failures: [RuleTestFailure] = []

    init(
        _ test: RuleTest, of file: RuleTestFile, _ groups: [RuleGroupSettings], _ settings: RuleTestPlayer.Settings
    ) throws(Unplayable) {
        self.test = test
        self.settings = settings
        isFuzzy = file.isFuzzy
        interval = file.evaluationInterval
        if test.duration.wholeMilliseconds / interval.wholeMilliseconds > Self.evaluationsMax {
            throw Self.unplayable(
                test.location, "lasts for more than \(Self.evaluationsMax) evaluation intervals, which is too long")
        }
        for check in test.alertChecks where check.alert.isEmpty {
            throw Self.unplayable(check.location, "key \"alertname\" is missing")
        }
        input = try RuleTestInput(test)
        clock = RuleTestClock(test.start)
        var storage = StorageSettings()
        storage.retention = .seconds(1_000_000_000_000)
        storage.futureMax = .seconds(1_000_000_000_000)
        store = SeriesStore(settings: storage, shardCount: 1)
        let telemetry = Telemetry()
        ingest = StoreIngest(store, clock: clock, listener: nil, telemetry: telemetry)
        var context = RuleContext(
            pipeline: test.title, mode: .interval, reader: store, ingest: ingest, dispatch: RuleDispatch(capacity: 1),
            clock: clock, telemetry: telemetry, outputs: RuleOutputs(notify: { _ in }, publish: { _ in }),
            interval: interval, externalLabels: test.externalLabels, externalURL: test.externalURL)
        context.evaluation = settings.evaluation
        context.language = settings.language
        let logger = Logger(label: "tocsin.test") { _ in SwiftLogNoOpLogHandler() }
        do {
            self.groups = try groups.map { try RuleGroupOperator($0, context: context, logger: logger) }
        } catch {
            throw Self.unplayable(test.location, "the rules can't be prepared: \(error)")
        }
    }

    private static func unplayable(_ location: SourceLocation, _ reason: String) -> Unplayable {
        Unplayable(failures: [RuleTestFailure(location, reason, [])])
    }

    /// Evaluates the rules up to the last time that is checked, and checks on the way what alerts fire; then what the
    /// expressions give. Ends early when a rule can't be evaluated. Samples after the last evaluation are never loaded, as
    /// by promtool.
    mutating func play() async {
        let checks = Dictionary(grouping: test.alertChecks, by: \.time).sorted { $0.key < $1.key }
        var next = checks.startIndex
        var elapsed = Duration.zero
        while elapsed <= test.duration {
            guard await load(through: elapsed), await evaluate(at: elapsed) else { return }
            // What is asked between two evaluations is answered by the earlier one.
            while next < checks.endIndex, checks[next].key < elapsed + interval {
                for check in checks[next].value { await self.check(check) }
                next += 1
            }
            elapsed += interval
        }
        for check in test.expressionChecks {
            if let failure = await failure(of: check) { failures.append(failure) }
        }
    }

    /// Makes the input up to a time readable.
    private mutating func load(through elapsed: Duration) async -> Bool {
        do throws(RuleTestInput.Failure) {
            try await input.load(through: elapsed, into: ingest)
            return true
        } catch {
            failures.append(RuleTestFailure(error.location, error.reason, []))
            return false
        }
    }

    private mutating func evaluate(at elapsed: Duration) async -> Bool {
        clock.set(test.start + elapsed)
        var isGood = true
        for group in groups {
            for (place, reason) in await group.evaluate(at: test.start + elapsed) {
                let rule = group.settings.rules[place]
                isGood = false
                failures.append(
                    RuleTestFailure(
                        test.location,
                        "test \(quoted(test.title)): rule \(quoted(rule.name)) at \(elapsed.prometheusText) fails",
                        ["\(rule.origin.location): \(reason)"]))
            }
        }
        return isGood
    }

    // MARK: alerts

    private mutating func check(_ check: RuleTest.AlertCheck) async {
        var firing: [RuleTest.Alert] = []
        for group in groups {
            for rule in await group.state().rules where rule.settings.isAlert && rule.settings.name == check.alert {
                firing += rule.active.filter { $0.state == .firing }.map { RuleTest.Alert($0, of: rule.settings) }
            }
        }
        let details = RuleTestDifference.lines(expected: check.expected, found: firing)
        if details.isEmpty { return }
        failures.append(
            RuleTestFailure(
                check.location,
                "test \(quoted(test.title)): alert \(check.alert) at \(check.time.prometheusText) is not as expected",
                details))
    }
}

extension RuleTest.Alert {
    /// An alert knows no annotation whose text is empty; for promtool it has those of its rule all the same.
    fileprivate init(_ alert: ActiveAlerts.Active, of rule: RuleSettings) {
        func pairs(_ labels: LabelSet) -> [String: String] {
            Dictionary(labels.map { ($0.name, $0.value) }) { _, last in last }
        }
        let empty = Dictionary(rule.annotations.map { ($0.name, "") }) { first, _ in first }
        self.init(
            labels: pairs(alert.labels), annotations: pairs(alert.annotations).merging(empty) { text, _ in text })
    }
}
