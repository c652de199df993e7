import Actors
import Streams

/// Which alerts a request to Alertmanager's API v2 asks for.
struct AlertmanagerFilter: Sendable {
    let matchers: [Matcher]
    private let receiver: RegularExpression?
    private let receiverMatchers: [Matcher]
    private let active: Bool
    private let inhibited: Bool
    private let silenced: Bool
    /// Whether groups are shown of which nothing is told at this time of the week.
    let muted: Bool

    init(_ parameters: RequestParameters) throws(AlertmanagerFailure) {
        matchers = try Self.matchers(parameters, "filter")
        do throws(RegularExpression.SyntaxError) {
            receiver = try parameters["receiver"].map { text throws(RegularExpression.SyntaxError) in
                try RegularExpression(text)
            }
        } catch {
            throw .refused("failed to parse receiver param: error parsing regexp: \(error.reason)")
        }
        do throws(AlertmanagerFailure) {
            receiverMatchers = try Self.matchers(parameters, "receiver_matchers")
        } catch {
            throw error.prefixed("failed to parse receiver_matchers param: ")
        }
        active = Self.flag(parameters, "active")
        inhibited = Self.flag(parameters, "inhibited")
        silenced = Self.flag(parameters, "silenced")
        muted = Self.flag(parameters, "muted")
    }

    /// One matcher in each.
    static func matchers(
        _ parameters: RequestParameters, _ name: String
    ) throws(AlertmanagerFailure) -> [Matcher] {
        do throws(MatcherError) {
            var matchers: [Matcher] = []
            for text in parameters.all(name) { matchers.append(try MatcherSyntax.fallback.parseOne(text)) }
            return matchers
        } catch {
            throw .refused(error.reason)
        }
    }

    /// True unless something else is said; what is no boolean counts as false, as there.
    static func flag(_ parameters: RequestParameters, _ name: String) -> Bool {
        parameters[name].map(trueTexts.contains) ?? true
    }

    private static let trueTexts: Set<String> = [
        "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled",
    ]

    /// Receivers have no labels, so that only matchers which nothing satisfies take them.
    func takes(receiver name: String) -> Bool {
        receiverMatchers.accept(LabelSet()) && receiver?.matches(name) ?? true
    }

    func takes(_ shown: ShownAlert) -> Bool {
        if shown.inhibitedBy != nil, !inhibited { return false }
        if !shown.silencedBy.isEmpty, !silenced { return false }
        return shown.isSuppressed || active
    }
}

extension AlertmanagerFailure {
    fileprivate func prefixed(_ prefix: String) -> Self {
        guard case .text(let text) = content else { return self }
        return Self(status: status, content: .text(prefix + text))
    }
}
