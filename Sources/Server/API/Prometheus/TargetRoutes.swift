import Pipelines
import Sources
import Streams
import Transport

/// What is scraped: `targets` and `scrape_pools`, with what leads there.
struct TargetRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.api("targets", services) { await targets($0.parameters) }
        routes.api("scrape_pools", services) { _ in
            let names = await services.graph.scrapes.map { JSONValue.string($0.job) }
            return APIAnswer(["scrapePools": .array(names)])
        }
        routes.api("scrape_pools/config", services) { try await configuration($0.parameters) }
        routes.api("targets/relabel_steps", services) { try await relabelSteps($0.parameters) }
    }

    /// `scrapePool=` asks for one job, `state=` for those that are scraped (`active`) or that relabelling dropped.
    private func targets(_ parameters: RequestParameters) async -> APIAnswer {
        let pool = parameters.inURL("scrapePool")
        let state = parameters.inURL("state")?.lowercased() ?? "any"
        let all = await services.graph.scrapes
        let asked = all.filter { pool == nil || $0.job == pool }
        let showsDropped = state == "any" || state == "dropped"
        let active = state == "any" || state == "active" ? asked.flatMap(\.targets).map(target) : []
        let dropped = showsDropped ? asked.flatMap(Self.dropped) : []
        let counts = all.map { JSONValue.Member($0.job, .integer(Int64($0.dropped.count))) }
        return APIAnswer([
            "activeTargets": .array(active), "droppedTargets": .array(dropped),
            "droppedTargetCounts": showsDropped ? .object(counts) : .null,
        ])
    }

    // MARK: one job

    private static func job(_ parameters: RequestParameters) throws(APIFailure) -> String {
        guard let job = parameters["scrapePool"] else { throw .badData("no scrapePool parameter provided") }
        return job
    }

    private static func unknown(_ job: String) -> APIFailure {
        .badData("error retrieving scrape config: scrape pool \(quoted(job)) not found")
    }

    /// The job as it is written, without secrets.
    private func configuration(_ parameters: RequestParameters) async throws -> APIAnswer {
        let job = try Self.job(parameters)
        guard let text = await services.graph.currentPlan.scrapeConfigurations[job] else { throw Self.unknown(job) }
        return APIAnswer(["yaml": .string(text)])
    }

    /// What each relabelling rule of a job makes of a target's labels, for those who look for what drops it.
    private func relabelSteps(_ parameters: RequestParameters) async throws -> APIAnswer {
        let job = try Self.job(parameters)
        guard let text = parameters["labels"] else { throw APIFailure.badData("no labels parameter provided") }
        var labels = try Self.labels(text)
        guard let rules = await services.graph.relabelRules(of: job) else { throw Self.unknown(job) }
        var isKept = true
        var steps: [JSONValue] = []
        for rule in rules {
            isKept = isKept && rule.apply(to: &labels)
            let output = isKept ? labels : LabelSet()
            steps.append(["rule": Self.json(rule), "output": .labels(output), "keep": .bool(isKept)])
        }
        return APIAnswer(["steps": .array(steps)])
    }

    private static func labels(_ text: String) throws(APIFailure) -> LabelSet {
        let document: JSONValue
        do throws(JSONValue.SyntaxError) {
            document = try JSONValue(parsing: text.utf8)
        } catch {
            throw .badData("error parsing labels: no JSON from byte \(error.offset) on")
        }
        guard case .object(let members) = document else { throw .badData("error parsing labels: not a JSON object") }
        var labels: [Label] = []
        for member in members {
            guard let value = member.value.string else {
                throw .badData("error parsing labels: the value of \(quoted(member.name)) is not a string")
            }
            labels.append(Label(member.name, value))
        }
        return LabelSet(labels)
    }

    /// Under the keys of a configuration, with those that have no meaning for the rule left out.
    private static func json(_ rule: RelabelRule) -> JSONValue {
        var members: [JSONValue.Member] = []
        if !rule.sourceLabels.isEmpty {
            members.append(.init("source_labels", .array(rule.sourceLabels.map { .string($0) })))
        }
        members += [.init("separator", .string(rule.separator)), .init("regex", .string(rule.regex.pattern))]
        if rule.modulus > 0 { members.append(.init("modulus", .number(String(rule.modulus)))) }
        if !rule.targetLabel.isEmpty { members.append(.init("target_label", .string(rule.targetLabel))) }
        return .object(
            members + [
                .init("replacement", .string(rule.replacement)), .init("action", .string(rule.action.rawValue)),
            ])
    }

    // MARK: targets

    private static func dropped(of scrape: ScrapeReport) -> [JSONValue] {
        scrape.dropped.map {
            ["discoveredLabels": .labels(Masked.labels($0)), "scrapePool": .string(scrape.job)]
        }
    }

    private func target(_ status: TargetStatus) -> JSONValue {
        let url = status.target.url
        return [
            "discoveredLabels": .labels(Masked.labels(status.target.discoveredLabels)),
            "labels": .labels(Masked.labels(status.target.labels)), "scrapePool": .string(status.job),
            "scrapeUrl": .string(Masked.url(url)), "globalUrl": .string(globalURL(url)),
            "lastError": .string(status.lastError),
            "lastScrape": .string(status.lastScrape?.rfc3339 ?? "0001-01-01T00:00:00Z"),
            "lastScrapeDuration": .number(formatFloat(status.lastDuration.inSeconds, .fixed)),
            "health": .string(status.health.rawValue),
            "scrapeInterval": .string(status.target.interval.prometheusText),
            "scrapeTimeout": .string(status.target.timeout.prometheusText),
        ]
    }

    private static let localHosts: Set<String> = ["127.0.0.1", "localhost", "[::1]"]

    /// As others reach it: what is on this machine is under this server's external name.
    private func globalURL(_ url: URLString) -> String {
        let text = Masked.url(url)
        let scheme = "\(url.scheme)://"
        // An external URL that is none was refused at the start; without one the target's own is as good.
        guard Self.localHosts.contains(url.host), let external = try? URLString(services.graph.externalURL),
            let place = text.firstRange(of: url.host)
        else { return text }
        let isOwn = url.port == external.port
        return (isOwn ? "\(external.scheme)://" : scheme) + text[..<place.lowerBound].dropFirst(scheme.count)
            + external.host + text[place.upperBound...]
    }
}

/// What may be shown of values in which a secret can stand.
enum Masked {
    private static let mask = "<secret>"

    /// URL parameters, users and passwords are hidden.
    static func labels(_ labels: LabelSet) -> LabelSet {
        LabelSet(
            labels.map { label in
                label.name.hasPrefix("__param_") ? Label(label.name, mask) : Label(label.name, userInfo(label.value))
            })
    }

    /// The URL without user, password and the values of its parameters.
    static func url(_ url: URLString) -> String {
        let parts = url.description.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return url.description }
        let pairs = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { pair in
            pair.prefix { $0 != "=" } + (pair.contains("=") ? "=\(mask)" : "")
        }
        return parts[0] + "?" + pairs.joined(separator: "&")
    }

    /// What stands before the host in a text that is a URL or an address.
    static func userInfo(_ text: String) -> String {
        let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
        let authority = text[start...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return text }
        // Without a scheme it is a secret only where a password stands there: `me@example.com` is none.
        guard start > text.startIndex || authority[..<at].contains(":") else { return text }
        return text[..<start] + mask + text[at...]
    }
}
