import Streams
import Transport
package import YAML

extension JiraSink {
    package struct Settings: ServiceSinkSettings {
        package static let title = "a jira config"

        struct Text: Equatable, Sendable {
            var template: String
            /// Whether it is written into an issue that is there already.
            var isUpdated: Bool
        }

        package var service: ServiceSettings
        /// The whole path of the API: `https://company.atlassian.net/rest/api/2/`.
        var url: URLString
        var isCloud: Bool
        /// These are templates.
        var project: String, issueType: String, priority: String
        var summary: Text, description: Text
        var labels: [String]
        var reopenTransition: String, resolveTransition: String
        /// Issues that were closed with it stay closed.
        var wontFixResolution: String
        /// How long after its end an issue is opened again.
        var reopenDuration: Duration
        var fields: [TemplateTree.Member]

        package init?(_ reader: MappingReader, _ globals: SinkGlobals) {
            service = ServiceSettings(reader, globals)
            summary = reader.jiraText("summary", calling: "jira.default.summary")
            description = reader.jiraText("description", calling: "jira.default.description")
            labels = reader.list("labels", of: .template)
            priority = reader.template("priority", calling: "jira.default.priority")
            reopenTransition = reader.text("reopen_transition", default: "")
            resolveTransition = reader.text("resolve_transition", default: "")
            wontFixResolution = reader.text("wont_fix_resolution", default: "")
            reopenDuration = reader.value("reopen_duration", .duration(), default: .zero)
            fields = reader.value("fields", .templateMembers, default: [])
            let api = reader.value("api_type", .text(oneOf: ["auto", "cloud", "datacenter"]), default: "auto")
            let url = reader.optional("api_url", .urlString) ?? globals.jiraURL
            let project = reader.requiredTemplate("project")
            let type = reader.requiredTemplate("issue_type")
            if url == nil, !reader.isPresent("api_url") {
                reader.report(
                    .invalid("no Jira address: set \"api_url\" here, or \"jira_api_url\" in global"), at: "api_url")
            }
            guard let url, let project, let type else { return nil }
            self.url = url
            self.project = project
            issueType = type
            isCloud = api == "cloud" || api == "auto" && url.host.lowercased().hasSuffix("atlassian.net")
        }

        var isVersion3: Bool {
            url.pathAndQuery.prefix { $0 != "?" }.split(separator: "/").last == "3"
        }

        /// What finds the group's issue: an open one, or while it fires one that was closed a short while ago.
        func query(project: String, label: String, _ isFiring: Bool) -> String {
            var query = ""
            if !wontFixResolution.isEmpty {
                // By itself "!=" leaves out those without a resolution.
                query += "(resolution is EMPTY or resolution != \(Self.quoted(wontFixResolution))) and "
            }
            let minutes = reopenDuration.components.seconds / 60
            if isFiring, !reopenTransition.isEmpty, minutes > 0 {
                query += "(resolutiondate is EMPTY OR resolutiondate >= -\(minutes)m) and "
            } else {
                query += "statusCategory != Done and "
            }
            query += "project=\(Self.quoted(project)) and labels=\(Self.quoted(label))"
            return query + " order by status ASC,resolutiondate DESC"
        }

        /// As a text of JQL.
        private static func quoted(_ text: String) -> String {
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\"\(escaped)\""
        }
    }
}

extension MappingReader {
    /// A template, or a mapping with one and whether it is written again.
    fileprivate func jiraText(_ key: String, calling name: String) -> JiraSink.Settings.Text {
        guard let node = node(key), node.entries != nil else {
            return JiraSink.Settings.Text(template: template(key, calling: name), isUpdated: true)
        }
        let reader = MappingReader(node, "the \(key) of a jira config", diagnostics)
        defer { reader.finish() }
        return JiraSink.Settings.Text(
            template: reader.template("template", calling: name),
            isUpdated: reader.bool("enable_update", default: true))
    }
}
