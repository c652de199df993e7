package import Streams
import Transport

/// Opens, updates, reopens and resolves Jira issues by the REST API, version 2 or 3
/// (developer.atlassian.com/cloud/jira/platform/rest). A group's issue is found by the label `ALERT{<hash>}`, so that a
/// repeated notification opens no second one.
package struct JiraSink: ServiceSink {
    package static let key = "jira_configs"

    package let settings: Settings
    private let context: SinkContext

    package init(_ settings: Settings, _ context: SinkContext) {
        self.settings = settings
        self.context = context
    }

    package func deliver(_ notification: Notification) async throws(DeliveryError) {
        let project = try context.text(settings.project, notification)
        let type = try context.text(settings.issueType, notification)
        let isFiring = notification.status == .firing
        guard let issue = try await existing(notification, project, isFiring) else {
            // There is no use in opening one for what is over.
            if isFiring {
                let fields = self.fields(notification, project, type, isNew: true)
                _ = try await ask(.post, try url(["issue"]), ["fields": fields])
            }
            return
        }
        let fields = self.fields(notification, project, type, isNew: false)
        _ = try await ask(.put, try url(["issue", issue.key]), ["fields": fields])
        let transition = isFiring ? settings.reopenTransition : settings.resolveTransition
        if issue.isDone == isFiring, !transition.isEmpty { try await move(issue, by: transition) }
    }

    // MARK: requests

    private func url(_ path: [String]) throws(DeliveryError) -> URLString { try context.url(settings.url, path) }

    private func ask(
        _ method: HTTPRequest.Method, _ url: URLString, _ document: JSONValue?
    ) async throws(DeliveryError) -> JSONValue? {
        // Names of transitions and resolutions are told in the language that is asked for.
        let request = ServiceRequest(
            method, url, document.map { .json($0) }, headers: [HTTPField("Accept-Language", "en")])
        let answer = try await context.send(request, settings.service)
        try context.judge(answer, of: "Jira")
        return answer.json
    }

    private struct Issue {
        var key: String
        var isDone: Bool
    }

    private func existing(
        _ notification: Notification, _ project: String, _ isFiring: Bool
    ) async throws(DeliveryError) -> Issue? {
        let query: JSONValue = [
            "jql": .string(settings.query(project: project, label: Self.label(notification), isFiring)),
            "maxResults": 2, "fields": ["status"],
        ]
        guard let found = try await ask(.post, try searchURL(), query)?["issues"]?.items else {
            throw .unavailable(reason: "Jira's answer to a search has no issues in it", retryAfter: nil)
        }
        guard let issue = found.first else { return nil }
        guard let key = issue["key"]?.string, !key.isEmpty else {
            throw .unavailable(reason: "Jira's answer to a search names no issue", retryAfter: nil)
        }
        let category = issue["fields"]?["status"]?["statusCategory"]?["key"]?.string
        return Issue(key: key, isDone: category == "done")
    }

    /// Jira Cloud searches elsewhere than a Data Center, in version 3 alone.
    private func searchURL() throws(DeliveryError) -> URLString {
        guard settings.isCloud else { return try url(["search"]) }
        let url = try url(["search", "jql"])
        do throws(TransportError) {
            return try URLString(url.text.replacing("/rest/api/2/", with: "/rest/api/3/", maxReplacements: 1))
        } catch {
            throw .refused(reason: error.description)
        }
    }

    private func move(_ issue: Issue, by name: String) async throws(DeliveryError) {
        let url = try url(["issue", issue.key, "transitions"])
        let transitions = try await ask(.get, url, nil)?["transitions"]?.items ?? []
        guard let id = transitions.first(where: { $0["name"]?.string == name })?["id"]?.string else {
            throw .refused(reason: "the issue \(issue.key) has no transition \"\(name)\"")
        }
        _ = try await ask(.post, url, ["transition": ["id": .string(id)]])
    }

    // MARK: the issue

    /// Documented bounds, in characters.
    private enum Limit {
        static let summary = 255, description = 32_767
    }

    private static func label(_ notification: Notification) -> String { "ALERT{\(notification.groupHash)}" }

    func fields(_ notification: Notification, _ project: String, _ type: String, isNew: Bool) -> JSONValue {
        var filled = FilledTexts(notification, context.renderer)
        var fields: [JSONValue.Member] = [
            .init("project", ["key": .string(project)]), .init("issuetype", ["name": .string(type)]),
        ]
        if isNew || settings.summary.isUpdated {
            let summary = filled.title(settings.summary.template).split(whereSeparator: \.isNewline)
            fields.add("summary", summary.joined(separator: " ").truncated(toScalars: Limit.summary))
        }
        var labels = [Self.label(notification)]
        for label in settings.labels { labels.append(filled.text(label)) }
        fields.append(.init("labels", .array(labels.filter { !$0.isEmpty }.sorted().map { .string($0) })))
        let priority = filled.text(settings.priority)
        if !priority.isEmpty { fields.append(.init("priority", ["name": .string(priority)])) }
        let own = filled.members(settings.fields)
        if isNew || settings.description.isUpdated {
            let text = filled.mainText(settings.description.template, scalarsMax: Limit.description)
            if let description = description(text) { fields.append(.init("description", description)) }
        }
        // What the user says wins.
        fields.removeAll { field in own.contains { $0.name == field.name } }
        return .object(fields + own)
    }

    /// Text in version 2; in version 3 a document of Atlassian's, into which plain text is put.
    private func description(_ text: String) -> JSONValue? {
        guard settings.isVersion3 else { return text.isEmpty ? nil : .string(text) }
        let text = text.trimmed
        guard !text.isEmpty else { return nil }
        // A text that is no document is no error.
        if let document = try? JSONValue(parsing: text.utf8), case .object = document { return document }
        let content: JSONValue = ["type": "text", "text": .string(text)]
        return ["type": "doc", "version": 1, "content": [["type": "paragraph", "content": [content]]]]
    }
}
