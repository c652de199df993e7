import Sinks
import Streams
import Templates
import TestKit
import Transport

/// A sink that sends to a server of the test's own, over the network as it is.
func emailSink(
    port: Int, host: String = "localhost", clock: ManualClock = ManualClock(),
    _ change: (inout EmailSink.Settings) -> Void = { _ in }
) throws -> EmailSink {
    var settings = EmailSink.Settings()
    settings.to = "team@example.com"
    settings.from = "tocsin@example.org"
    settings.server = Smarthost(host: host, port: port)
    settings.requiresTLS = false
    settings.html = "<p>{{ .CommonLabels.alertname }}</p>"
    settings.text = "{{ .CommonLabels.alertname }}"
    settings.headers = [EmailSink.Header(name: "Subject", template: "{{ .CommonAnnotations.summary }}")]
    change(&settings)
    let context = SinkContext(
        http: HTTPClient(), connector: TCPConnector(),
        renderer: TemplateRenderer(try NotificationTemplates(clock: clock)),
        clock: clock, random: { 4 })
    return EmailSink(settings, context)
}

func notification(
    id: String = "n1", summary: String = "it failed", labels: LabelSet = ["alertname": "Failed", "job": "train"]
) -> Notification {
    let start = Timestamp(milliseconds: 1_767_225_600_000)
    return Notification(
        id: id, pipeline: "training", receiver: "team", groupKey: "{}:{alertname=\"Failed\"}",
        groupLabels: ["alertname": "Failed"],
        alerts: [
            Alert(
                labels: labels, annotations: ["summary": summary], startsAt: start, generatorURL: "http://tocsin/graph")
        ], time: start, externalURL: "http://tocsin")
}
