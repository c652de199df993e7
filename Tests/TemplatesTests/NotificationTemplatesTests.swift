import Streams
import Templates
import TestKit
import Testing

@Suite struct NotificationTemplatesTests {
    private let clock = ManualClock()

    private func alert(
        _ labels: LabelSet, _ annotations: LabelSet = LabelSet(), startsAt: Int64 = 1_772_366_096_789,
        endsAt: Int64? = nil
    ) -> Alert {
        Alert(
            labels: labels, annotations: annotations, startsAt: Timestamp(milliseconds: startsAt),
            endsAt: endsAt.map { Timestamp(milliseconds: $0) },
            generatorURL: "https://tocsin.example/graph?g0.expr=a%3E1")
    }

    private func notification(_ alerts: [Alert], receiver: String = "ml.team") -> Notification {
        Notification(
            id: "1", pipeline: "training", receiver: receiver, groupKey: "{}:{}",
            groupLabels: ["alertname": alerts[0].name], alerts: alerts,
            time: Timestamp(milliseconds: 1_772_370_000_000), externalURL: "https://tocsin.example",
            reason: "first notification")
    }

    private var failed: Alert {
        alert(
            ["alertname": "TrainingJobFailed", "severity": "critical", "job_id": "run-7", "job_name": "llm <base>"],
            [
                "summary": "Job llm <base> failed", "description": "Exit code 137\nafter step 12000",
                "suggestions": "- Look at the logs\n\n- Retry with a smaller batch\n", "value": "1",
                "logs_url": "https://logs.example/run-7?a=1&b=2", "retry_url": "https://jobs.example/run-7/retry",
                "action_open_ticket_url": "https://tickets.example/new", "runbook_url": "javascript:alert(1)",
            ])
    }

    private var resolved: Alert {
        alert(
            ["alertname": "TrainingJobFailed", "severity": "critical", "job_id": "run-6"],
            ["summary": "Job run-6 failed"],
            endsAt: 1_772_366_221_789)
    }

    @Test func `the mail shows what happened, what to do, and where to click`() throws {
        let templates = try NotificationTemplates(clock: clock)
        let mail = try templates.html(
            #"{{ template "email.default.html" . }}"#, for: notification([failed, resolved]))
        for piece in [
            "<!doctype html>", "1 alert firing, 1 resolved", "TrainingJobFailed", "Job llm &lt;base&gt; failed",
            "Exit code 137\nafter step 12000", "<li style=\"margin:0 0 4px;\">Look at the logs</li>",
            "<li style=\"margin:0 0 4px;\">Retry with a smaller batch</li>",
            "href=\"https://logs.example/run-7?a=1&amp;b=2\"", "View logs</a>", "Retry job</a>", "Open Ticket</a>",
            "href=\"#ZgotmplZ\"", "Runbook</a>", "job_id", "run-7", "Firing since 2026-03-01 11:54:56 UTC",
            "Resolved at 2026-03-01 11:57:01 UTC, after 2m 5s", "background-color:#a42522", "background-color:#539680",
            "href=\"https://tocsin.example/graph?g0.expr=a%3E1\"", "href=\"https://tocsin.example\"",
            "https://tocsin.example/#/alerts?receiver=ml%5C.team", "</a> to ml.team (first notification)",
        ] { #expect(mail.contains(piece), "\(piece) is missing in \(mail)") }
        for piece in ["javascript:", "<base>", "<no value>", "{{", "<nil>"] {
            #expect(!mail.contains(piece), "\(piece) is in \(mail)")
        }
    }

    @Test func `the mail's text has the same content`() throws {
        let templates = try NotificationTemplates(clock: clock)
        let text = try templates.text(#"{{ template "email.default.text" . }}"#, for: notification([failed, resolved]))
        #expect(
            text == """
                1 alert firing, 1 resolved: TrainingJobFailed

                [critical] TrainingJobFailed: Job llm <base> failed
                Exit code 137
                after step 12000
                Firing since 2026-03-01 11:54:56 UTC
                Suggestions:
                  - Look at the logs
                  - Retry with a smaller batch
                  job_id: run-7
                  job_name: llm <base>
                  value: 1
                Open Ticket: https://tickets.example/new
                View logs: https://logs.example/run-7?a=1&b=2
                Retry job: https://jobs.example/run-7/retry
                Runbook: javascript:alert(1)
                Source: https://tocsin.example/graph?g0.expr=a%3E1

                [resolved] TrainingJobFailed: Job run-6 failed
                Resolved at 2026-03-01 11:57:01 UTC, after 2m 5s; firing since 2026-03-01 11:54:56 UTC
                  job_id: run-6
                Source: https://tocsin.example/graph?g0.expr=a%3E1

                See all in Tocsin: https://tocsin.example/#/alerts?receiver=ml%5C.team

                """)
    }

    @Test func `in the mail's text, further lines of a value stand further in`() throws {
        let templates = try NotificationTemplates(clock: clock)
        let told = notification([alert(["alertname": "A", "host": "h\ni"], ["note": "one\ntwo\n"])])
        let text = try templates.text(#"{{ template "email.default.text" . }}"#, for: told)
        #expect(text.contains("\n  host: h\n    i\n  note: one\n    two\n"), "\(text)")
    }

    @Test func `an alert with nothing but a name makes a mail too`() throws {
        let templates = try NotificationTemplates(clock: clock)
        let bare = notification([alert(["alertname": "A"]), alert(["alertname": "B", "severity": "page"])])
        let mail = try templates.html(#"{{ template "email.default.html" . }}"#, for: bare)
        #expect(mail.contains("Several alerts"))
        #expect(mail.contains("● page"))
        #expect(!mail.contains("Suggestions"))
        _ = try templates.text(#"{{ template "email.default.text" . }}"#, for: bare)
    }

    @Test func `a user's file adds templates and replaces those that ship`() throws {
        let templates = try NotificationTemplates(
            files: [
                ("own.tmpl", #"{{ define "ml.title" }}{{ .Status | toUpper }} {{ len .Alerts }}{{ end }}"#),
                (
                    "more.tmpl",
                    #"{{ define "__subject" }}mine{{ end }}{{ define "slack.default.color" }}#123456{{ end }}"#
                ),
            ], clock: clock)
        let data = notification([failed])
        #expect(try templates.text(#"{{ template "ml.title" . }}"#, for: data) == "FIRING 1")
        #expect(try templates.text(#"{{ template "slack.default.title" . }}"#, for: data) == "mine")
        #expect(try templates.text(#"{{ template "slack.default.color" . }}"#, for: data) == "#123456")
        #expect(templates.contains("ml.title"))
        #expect(!templates.contains("ml.text"))
    }

    @Test func `a file that is no template is refused with its name and line`() {
        let error = #expect(throws: TemplateError.self) {
            try NotificationTemplates(
                files: [("own.tmpl", "{{ define \"a\" }}\n{{ nofunction }}{{ end }}")], clock: clock)
        }
        #expect(error?.description == #"template: own.tmpl:2:3: function "nofunction" not defined"#)
    }

    @Test(arguments: [
        (false, "{{ .Nope"), (false, "{{ nofunction }}"), (true, "<a href=\"{{ .Status }}"),
        (true, "{{ if .Status }}<script>{{ end }}"),
    ])
    func `a setting's text can be checked before there is a notification`(html: Bool, text: String) throws {
        let templates = try NotificationTemplates(clock: clock)
        #expect(throws: TemplateError.self) { try templates.check(text, html: html) }
        #expect(throws: Never.self) { try templates.check("{{ .Status }}", html: html) }
    }

    @Test func `route labels are expanded, and those that use themselves refused`() throws {
        let templates = try NotificationTemplates(clock: clock)
        var data = notification([failed])
        data.routeLabels = [
            "a": #"{{ routeLabels "b" }}!"#, "b": "{{ .GroupLabels.alertname }}", "loop": #"{{ routeLabels "loop" }}"#,
        ]
        #expect(try templates.text(#"{{ routeLabels "a" }}"#, for: data) == "TrainingJobFailed!")
        #expect(throws: TemplateError.self) { try templates.text(#"{{ routeLabels "loop" }}"#, for: data) }
    }

    @Test func `every shipped template makes a page or text of every notification`() throws {
        let templates = try NotificationTemplates(clock: clock)
        for alerts in [[failed], [resolved], [failed, resolved], Array(repeating: failed, count: 250)] {
            for html in [false, true] {
                let text = #"{{ template "email.default.html" . }}{{ template "slack.default.fallback" . }}"#
                let data = notification(alerts)
                let output = try html ? templates.html(text, for: data) : templates.text(text, for: data)
                #expect(!output.contains("<no value>"))
            }
        }
    }
}
