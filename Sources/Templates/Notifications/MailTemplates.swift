/// Tocsin's own mail: a page of tables with inline styles, which is what mail programs show alike, and the same as text.
///
/// Annotations with a meaning: `summary`, `description`, `value`, `suggestions` (one a line), and links, which become
/// buttons: `logs_url`, `retry_url`, `dashboard_url`, `runbook_url`, `action_NAME_url` and others that end in `_url`.
enum MailTemplates {
    static let page = links + frame + alert

    private static let links = """
        {{ define "__link_label" -}}
        {{ if eq . "logs_url" }}View logs{{ else if eq . "retry_url" }}Retry job\
        {{ else if eq . "dashboard_url" }}Dashboard{{ else if eq . "runbook_url" }}Runbook\
        {{ else }}{{ reReplaceAll "^(action_)?(.*)_url$" "$2" . | reReplaceAll "_" " " | title }}{{ end }}
        {{- end }}

        """

    private static let frame = """
        {{ define "email.default.subject" }}{{ template "__subject" . }}{{ end }}

        {{ define "__mail_count" -}}
        {{ with .Alerts.Firing }}{{ len . }} {{ if eq (len .) 1 }}alert{{ else }}alerts{{ end }} firing{{ end }}
        {{- if and .Alerts.Firing .Alerts.Resolved }}, {{ end }}
        {{- with .Alerts.Resolved }}{{ len . }} {{ if not $.Alerts.Firing }}\
        {{ if eq (len .) 1 }}alert {{ else }}alerts {{ end }}{{ end }}resolved{{ end }}
        {{- end }}

        {{ define "email.default.html" -}}
        {{ $level := 0 -}}
        {{ range .Alerts.Firing -}}
        {{ if eq .Labels.severity "critical" }}{{ $level = 3 -}}
        {{ else if and (eq .Labels.severity "warning") (lt $level 2) }}{{ $level = 2 -}}
        {{ else if lt $level 1 }}{{ $level = 1 }}{{ end -}}
        {{ end -}}
        {{ $fill := "#0a7057" }}{{ if eq $level 3 }}{{ $fill = "#a42522" }}{{ else if eq $level 2 -}}
        {{ $fill = "#8a5a00" }}{{ else if eq $level 1 }}{{ $fill = "#315bad" }}{{ end -}}
        {{ $title := .CommonLabels.alertname }}{{ if not $title }}{{ $title = "Several alerts" }}{{ end -}}
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light">
        <title>{{ template "__subject" . }}</title>
        </head>
        <body style="margin:0;padding:0;background-color:#f5f6f8;">
        <div style="display:none;max-height:0;overflow:hidden;">{{ template "__mail_count" . }}: \
        {{ with .CommonAnnotations.summary }}{{ . }}{{ else }}{{ $title }}{{ end }}</div>
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f5f6f8">
        <tr><td align="center" style="padding:24px 12px;">
        <table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" \
        style="width:100%;max-width:640px;font-family:Inter,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;\
        font-size:14px;line-height:20px;color:#161b21;">
        <tr><td bgcolor="{{ $fill }}" style="background-color:{{ $fill }};border-radius:8px 8px 0 0;padding:16px 24px;color:#ffffff;">
        <div style="font-size:13px;line-height:18px;color:#ffffff;">{{ template "__mail_count" . }}</div>
        <h1 style="margin:2px 0 0;font-size:22px;line-height:28px;font-weight:600;color:#ffffff;word-break:break-word;">{{ $title }}</h1>
        </td></tr>
        {{ with .GroupLabels.Remove (stringSlice "alertname") -}}
        <tr><td bgcolor="#ffffff" style="background-color:#ffffff;padding:12px 24px 0;font-size:13px;line-height:18px;color:#46515d;">
        {{ range .SortedPairs }}{{ .Name }} <strong>{{ .Value }}</strong> &nbsp; {{ end }}
        </td></tr>
        {{ end -}}
        {{ range $index, $alert := .Alerts.Firing }}{{ if lt $index 100 }}{{ template "__mail_alert" $alert }}{{ end }}{{ end -}}
        {{ range $index, $alert := .Alerts.Resolved }}{{ if lt $index 100 }}{{ template "__mail_alert" $alert }}{{ end }}{{ end -}}
        {{ if or (gt (len .Alerts.Firing) 100) (gt (len .Alerts.Resolved) 100) -}}
        <tr><td bgcolor="#ffffff" style="background-color:#ffffff;padding:16px 24px 0;color:#46515d;">\
        Only the first 100 alerts of each kind are shown.</td></tr>
        {{ end -}}
        <tr><td bgcolor="#ffffff" style="background-color:#ffffff;border-radius:0 0 8px 8px;padding:20px 24px;">
        <a href="{{ template "__alertmanagerURL" . }}" style="color:#1d5fb8;font-weight:600;">See all in Tocsin</a>
        </td></tr>
        <tr><td style="padding:12px 24px;font-size:12px;line-height:16px;color:#626d7a;">
        Sent by <a href="{{ .ExternalURL }}" style="color:#626d7a;">Tocsin</a> to {{ reReplaceAll `\\\\(.)` "$1" .Receiver }}\
        {{ with .NotificationReason }} ({{ . }}){{ end }}.
        </td></tr>
        </table>
        </td></tr>
        </table>
        </body>
        </html>
        {{ end }}

        """

    private static let alert = """
        {{ define "__mail_alert" -}}
        {{ $severity := .Labels.severity -}}
        {{ $word := $severity }}{{ $sign := "●" }}{{ $fill := "#315bad" }}{{ $tint := "#e7eef9" }}{{ $ink := "#1a5fa8" -}}
        {{ if eq .Status "resolved" -}}
        {{ $word = "resolved" }}{{ $sign = "✓" }}{{ $fill = "#539680" }}{{ $tint = "#e5f3ee" }}{{ $ink = "#0a7057" -}}
        {{ else if eq $severity "critical" -}}
        {{ $sign = "■" }}{{ $fill = "#a42522" }}{{ $tint = "#fbeae8" }}{{ $ink = "#b42318" -}}
        {{ else if eq $severity "warning" -}}
        {{ $sign = "▲" }}{{ $fill = "#ba7d01" }}{{ $tint = "#fbf1dc" }}{{ $ink = "#8a5a00" -}}
        {{ end -}}
        <tr><td bgcolor="#ffffff" style="background-color:#ffffff;padding:16px 24px 0;">
        <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="border:1px solid #dbe0e6;">
        <tr>
        <td width="5" bgcolor="{{ $fill }}" style="width:5px;background-color:{{ $fill }};font-size:0;line-height:0;">&nbsp;</td>
        <td style="padding:14px 16px;">
        <span style="background-color:{{ $tint }};color:{{ $ink }};font-size:12px;line-height:16px;font-weight:600;padding:2px 8px;">\
        {{ $sign }} {{ with $word }}{{ . }}{{ else }}alert{{ end }}</span>
        <div style="margin-top:6px;font-size:16px;line-height:22px;font-weight:600;word-break:break-word;">\
        {{ with .Annotations.summary }}{{ . }}{{ else }}{{ .Labels.alertname }}{{ end }}</div>
        {{ if .Annotations.summary }}<div style="font-size:13px;line-height:18px;color:#46515d;">{{ .Labels.alertname }}</div>
        {{ end -}}
        {{ with .Annotations.description -}}
        <div style="margin-top:8px;white-space:pre-line;word-break:break-word;">{{ . }}</div>
        {{ end -}}
        <div style="margin-top:8px;font-size:13px;line-height:18px;color:#46515d;">\
        {{ if eq .Status "resolved" }}Resolved at {{ .EndsAt.UTC.Format "2006-01-02 15:04:05 MST" }}, after \
        {{ humanizeDuration ((.EndsAt.Sub .StartsAt).Truncate 1000000000) }}; firing since \
        {{ else }}Firing since {{ end }}{{ .StartsAt.UTC.Format "2006-01-02 15:04:05 MST" }}</div>
        {{ if and .Annotations.suggestions (eq .Status "firing") -}}
        <div style="margin-top:12px;font-weight:600;">Suggestions</div>
        <ul style="margin:4px 0 0;padding:0 0 0 20px;">
        {{ range lines .Annotations.suggestions }}<li style="margin:0 0 4px;">{{ . }}</li>
        {{ end }}</ul>
        {{ end -}}
        <table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin-top:12px;width:100%;border-top:1px solid #dbe0e6;">
        {{ range (.Labels.Remove (stringSlice "alertname" "severity")).SortedPairs }}{{ template "__mail_row" . }}{{ end -}}
        {{ range .Annotations.SortedPairs }}\
        {{ if not (match "^(summary|description|suggestions)$|_url$" .Name) }}{{ template "__mail_row" . }}{{ end }}{{ end -}}
        </table>
        <div style="margin-top:4px;">
        {{ range .Annotations.SortedPairs }}{{ if match "_url$" .Name -}}
        <a href="{{ .Value }}" style="display:inline-block;margin:8px 8px 0 0;padding:7px 14px;border:1px solid #1d5fb8;border-radius:6px;\
        font-size:13px;line-height:18px;font-weight:600;text-decoration:none;{{ if eq .Name "retry_url" }}\
        background-color:#1d5fb8;color:#ffffff;{{ else }}background-color:#ffffff;color:#1d5fb8;{{ end }}">\
        {{ template "__link_label" .Name }}</a>
        {{ end }}{{ end -}}
        {{ with .GeneratorURL }}<a href="{{ . }}" style="display:inline-block;margin:8px 0 0;padding:8px 0;font-size:13px;line-height:18px;color:#1d5fb8;">Source</a>
        {{ end -}}
        </div>
        </td>
        </tr>
        </table>
        </td></tr>
        {{ end }}

        {{ define "__mail_row" -}}
        <tr>
        <td valign="top" style="padding:6px 16px 0 0;font-size:13px;line-height:18px;color:#626d7a;white-space:nowrap;">{{ .Name }}</td>
        <td valign="top" width="100%" style="padding:6px 0 0;font-family:'JetBrains Mono',Menlo,Consolas,monospace;\
        font-size:13px;line-height:18px;color:#161b21;word-break:break-word;">{{ .Value }}</td>
        </tr>
        {{ end }}

        """

    static let text = """
        {{ define "email.default.text" -}}
        {{ template "__mail_count" . }}: {{ with .CommonLabels.alertname }}{{ . }}{{ else }}several alerts{{ end }}
        {{ range $index, $alert := .Alerts.Firing }}{{ if lt $index 100 }}{{ template "__text_alert" $alert }}{{ end }}{{ end -}}
        {{ range $index, $alert := .Alerts.Resolved }}{{ if lt $index 100 }}{{ template "__text_alert" $alert }}{{ end }}{{ end -}}
        {{ if or (gt (len .Alerts.Firing) 100) (gt (len .Alerts.Resolved) 100) }}
        Only the first 100 alerts of each kind are shown.
        {{ end }}
        See all in Tocsin: {{ template "__alertmanagerURL" . }}
        {{ end }}

        {{ define "__text_value" }}{{ reReplaceAll "\\n" "\\n    " (trimSpace .) }}{{ end }}
        {{ define "__text_alert" }}
        [{{ if eq .Status "resolved" }}resolved{{ else if .Labels.severity }}{{ .Labels.severity }}{{ else }}alert{{ end }}] \
        {{ .Labels.alertname }}{{ with .Annotations.summary }}: {{ . }}{{ end }}
        {{ with .Annotations.description }}{{ . }}
        {{ end -}}
        {{ if eq .Status "resolved" }}Resolved at {{ .EndsAt.UTC.Format "2006-01-02 15:04:05 MST" }}, after \
        {{ humanizeDuration ((.EndsAt.Sub .StartsAt).Truncate 1000000000) }}; firing since {{ else }}Firing since {{ end -}}
        {{ .StartsAt.UTC.Format "2006-01-02 15:04:05 MST" }}
        {{ if and .Annotations.suggestions (eq .Status "firing") }}Suggestions:
        {{ range lines .Annotations.suggestions }}  - {{ . }}
        {{ end }}{{ end -}}
        {{ range (.Labels.Remove (stringSlice "alertname" "severity")).SortedPairs }}  {{ .Name }}: \
        {{ template "__text_value" .Value }}
        {{ end -}}
        {{ range .Annotations.SortedPairs }}{{ if not (match "^(summary|description|suggestions)$|_url$" .Name) }}  \
        {{ .Name }}: {{ template "__text_value" .Value }}
        {{ end }}{{ end -}}
        {{ range .Annotations.SortedPairs }}{{ if match "_url$" .Name }}{{ template "__link_label" .Name }}: {{ .Value }}
        {{ end }}{{ end -}}
        {{ with .GeneratorURL }}Source: {{ . }}
        {{ end }}{{ end }}

        """
}
