/// The templates that ship: under the names that users' own templates call and define.
enum DefaultTemplates {
    static let all: [(name: String, text: String)] = [
        ("default.tmpl", common + chat + tickets), ("email.tmpl", MailTemplates.page + MailTemplates.text),
    ]

    /// Building blocks. Those with `__alert` in their names take a list of alerts.
    private static let common = """
        {{ define "__alertmanager" }}Alertmanager{{ end }}
        {{ define "__alertmanagerURL" }}{{ .ExternalURL }}/#/alerts?receiver={{ urlquery .Receiver }}{{ end }}
        {{ define "__description" }}{{ end }}
        {{ define "__subject" -}}
        {{ $others := .CommonLabels.Remove .GroupLabels.Names -}}
        [{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}] \
        {{ join " " .GroupLabels.SortedPairs.Values }} {{ if $others }}({{ join " " $others.Values }}){{ end }}
        {{- end }}
        {{ define "__title_and_link" }}\
        {{ template "__subject" . }} | {{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "__color" }}{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}{{ end }}

        {{ define "__text_alert_list" }}{{ range . }}Labels:
        {{ range .Labels.SortedPairs }} - {{ .Name }} = {{ .Value }}
        {{ end }}Annotations:
        {{ range .Annotations.SortedPairs }} - {{ .Name }} = {{ .Value }}
        {{ end }}Source: {{ .GeneratorURL }}
        {{ end }}{{ end }}

        {{ define "__text_alert_list_markdown" }}{{ range . }}
        Labels:
        {{ range .Labels.SortedPairs }}  - {{ .Name }} = {{ .Value }}
        {{ end }}
        Annotations:
        {{ range .Annotations.SortedPairs }}  - {{ .Name }} = {{ .Value }}
        {{ end }}
        Source: {{ .GeneratorURL }}
        {{ end }}
        {{ end }}

        {{ define "__annotations" }}{{ join " " .CommonAnnotations.SortedPairs.Values }}{{ end }}

        {{ define "__body" }}
        {{ with .Alerts.Firing }}
        Alerts Firing:
        {{ template "__text_alert_list" . }}
        {{ end }}
        {{ with .Alerts.Resolved }}
        Alerts Resolved:
        {{ template "__text_alert_list" . }}
        {{ end }}
        {{ end }}

        {{ define "__body_compact" }}{{ template "__annotations" . }}
        {{ with .Alerts.Firing }}Alerts Firing:
        {{ template "__text_alert_list" . }}{{ end }}
        {{ with .Alerts.Resolved }}Alerts Resolved:
        {{ template "__text_alert_list" . }}{{ end }}{{ end }}

        {{ define "__body_markdown" }}
        {{ with .Alerts.Firing }}
        # Alerts Firing:
        {{ template "__text_alert_list_markdown" . }}
        {{ end }}
        {{ with .Alerts.Resolved }}
        # Alerts Resolved:
        {{ template "__text_alert_list_markdown" . }}
        {{ end }}
        {{ end }}

        """

    private static let chat = """
        {{ define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
        {{ define "slack.default.fallback" }}{{ template "__title_and_link" . }}{{ end }}
        {{ define "slack.default.callbackid" }}{{ end }}
        {{ define "slack.default.pretext" }}{{ end }}
        {{ define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "slack.default.iconemoji" }}{{ end }}
        {{ define "slack.default.iconurl" }}{{ end }}
        {{ define "slack.default.text" }}{{ end }}
        {{ define "slack.default.footer" }}{{ end }}
        {{ define "slack.default.color" }}{{ template "__color" . }}{{ end }}

        {{ define "wechat.default.message" }}{{ template "__subject" . }}
        {{ template "__body_compact" . }}
        AlertmanagerUrl:
        {{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "wechat.default.to_user" }}{{ end }}
        {{ define "wechat.default.to_party" }}{{ end }}
        {{ define "wechat.default.to_tag" }}{{ end }}
        {{ define "wechat.default.agent_id" }}{{ end }}

        {{ define "telegram.default.message" }}{{ template "__body" . }}{{ end }}

        {{ define "discord.default.content" }}{{ end }}
        {{ define "discord.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "discord.default.message" }}{{ template "__body" . }}{{ end }}

        {{ define "webex.default.message" }}{{ template "__annotations" . }}{{ template "__body" . }}{{ end }}

        {{ define "msteams.default.summary" }}{{ template "__subject" . }}{{ end }}
        {{ define "msteams.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "msteams.default.text" }}{{ template "__body_markdown" . }}{{ end }}
        {{ define "msteamsv2.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "msteamsv2.default.text" }}{{ template "__body_markdown" . }}{{ end }}

        {{ define "rocketchat.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "rocketchat.default.alias" }}{{ template "__alertmanager" . }}{{ end }}
        {{ define "rocketchat.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "rocketchat.default.emoji" }}{{ end }}
        {{ define "rocketchat.default.iconurl" }}{{ end }}
        {{ define "rocketchat.default.text" }}{{ end }}

        {{ define "mattermost.default.color" }}{{ template "__color" . }}{{ end }}
        {{ define "mattermost.default.username" }}{{ template "__alertmanager" . }}{{ end }}
        {{ define "mattermost.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "mattermost.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "mattermost.default.fallback" }}{{ template "__title_and_link" . }}{{ end }}
        {{ define "mattermost.default.text" }}{{ template "__body_markdown" . }}{{ end }}

        """

    private static let tickets = """
        {{ define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
        {{ define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
        {{ define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
        {{ define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}

        {{ define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end }}
        {{ define "opsgenie.default.description" }}{{ template "__body_compact" . }}{{ end }}
        {{ define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end }}

        {{ define "victorops.default.state_message" }}{{ template "__body_compact" . }}{{ end }}
        {{ define "victorops.default.entity_display_name" }}{{ template "__subject" . }}{{ end }}
        {{ define "victorops.default.monitoring_tool" }}{{ template "__alertmanager" . }}{{ end }}

        {{ define "pushover.default.title" }}{{ template "__subject" . }}{{ end }}
        {{ define "pushover.default.message" }}{{ template "__annotations" . }}{{ template "__body" . }}{{ end }}
        {{ define "pushover.default.url" }}{{ template "__alertmanagerURL" . }}{{ end }}

        {{ define "sns.default.subject" }}{{ template "__subject" . }}{{ end }}
        {{ define "sns.default.message" }}{{ template "__annotations" . }}{{ template "__body" . }}{{ end }}

        {{ define "jira.default.summary" }}{{ template "__subject" . }}{{ end }}
        {{ define "jira.default.description" }}{{ template "__body_markdown" . }}{{ end }}
        {{ define "jira.default.priority" }}{{ $level := 0 }}
        {{- $alerts := .Alerts.Firing }}{{ if not $alerts }}{{ $alerts = .Alerts }}{{ end }}
        {{- range $alerts }}
        {{- if eq .Labels.severity "critical" }}{{ $level = 3 }}
        {{- else if and (eq .Labels.severity "warning") (lt $level 2) }}{{ $level = 2 }}
        {{- else if and (eq .Labels.severity "info") (lt $level 1) }}{{ $level = 1 }}{{ end }}
        {{- end }}
        {{- if eq $level 3 }}High{{ else if eq $level 2 }}Medium{{ else if eq $level 1 }}Low{{ end }}{{ end }}

        """
}
