import Streams
import Templates
import Testing

@Suite struct AnnotationTemplateTests {
    private let context = AnnotationTemplate.Context(
        labels: ["alertname": "TrainingLossHigh", "job_id": "run-7", "job_name": "llm <base>"], value: 12.3456,
        externalLabels: ["cluster": "eu"], externalURL: "https://tocsin.example/t",
        time: Timestamp(milliseconds: 1_772_366_096_789))

    @Test(arguments: [
        ("no template at all", "no template at all"),
        ("{ single braces }", "{ single braces }"),
        ("loss of {{ $labels.job_name }} is {{ $value | printf \"%.2f\" }}", "loss of llm <base> is 12.35"),
        ("{{ $labels.missing }}|", "|"),
        (
            "{{ $externalLabels.cluster }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
            "eu https://tocsin.example/t https://tocsin.example/t /t"
        ),
        ("{{ .Labels.job_id }} {{ .Value | humanize }}", "run-7 12.35"),
        ("{{ if gt $value 10.0 }}above{{ else }}below{{ end }}", "above"),
    ])
    func `a label or annotation is expanded for an alert`(text: String, expected: String) throws {
        #expect(try AnnotationTemplate(text, name: "a").expand(context) == expected)
    }

    @Test func `a value that is no number is shown as its text`() throws {
        var context = context
        context.valueText = "{count:3, sum:5, (0.5,1]:3}"
        #expect(
            try AnnotationTemplate("{{ $value }} {{ .Value }}", name: "a").expand(context)
                == "{count:3, sum:5, (0.5,1]:3} {count:3, sum:5, (0.5,1]:3}")
        #expect(throws: TemplateError.self) {
            try AnnotationTemplate("{{ $value | humanize }}", name: "a").expand(context)
        }
    }

    @Test func `queries are awaited, each distinct one once`() async throws {
        let template = try AnnotationTemplate(
            #"{{ range query "up" }}{{ .Labels.instance }}={{ .Value }} {{ end }}{{ query "up" | first | value }} {{ query (printf "x{job=%q}" $labels.job_id) | len }}"#,
            name: "a")
        var asked: [String] = []
        let text = try await template.expand(context) { query in
            asked.append(query)
            return [QuerySample(labels: ["instance": "a"], value: 1), QuerySample(labels: ["instance": "b"], value: 0)]
        }
        #expect(text == "a=1 b=0 1 2")
        #expect(asked == ["up", #"x{job="run-7"}"#])
    }

    @Test func `a query's histogram stands as its text`() async throws {
        let template = try AnnotationTemplate(#"{{ query "h" | first | value }}"#, name: "summary")
        let text = try await template.expand(context) { _ in
            [QuerySample(labels: LabelSet(), value: .nan, valueText: "{count:1, sum:2}")]
        }
        #expect(text == "{count:1, sum:2}")
    }

    @Test func `a failing query fails the template with the query's reason and the place`() async throws {
        struct Refused: Error, CustomStringConvertible { let description = "no storage" }
        let template = try AnnotationTemplate("{{ $value }}\n {{ query \"up\" }}", name: "summary")
        await #expect(
            throws: TemplateError.self,
            performing: {
                try await template.expand(context) { _ in throw Refused() }
            })
        do {
            _ = try await template.expand(context) { _ in throw Refused() }
        } catch {
            #expect("\(error)".contains("summary:2:4"))
            #expect("\(error)".contains("error calling query: no storage"))
        }
    }

    @Test func `a query without anyone to answer it is an error`() throws {
        let template = try AnnotationTemplate("{{ query \"up\" }}", name: "summary")
        #expect(throws: TemplateError.self) { try template.expand(context) }
    }

    @Test(arguments: ["{{", "{{ nofunction }}", "{{ $unknown }}", "{{ if }}x{{ end }}", "{{ end }}", "{{ .x | }}"])
    func `a text that is no template is refused when it is read`(text: String) {
        let error = #expect(throws: TemplateError.self) { try AnnotationTemplate(text, name: "a") }
        #expect(error?.stage == .parse)
        #expect(error?.line == 1)
    }

    @Test(arguments: [
        "{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}",
        "{{ range 1000000000 }}{{ range 1000000000 }}{{ end }}{{ end }}",
        "{{ range 100000000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}",
        "{{ $s := \"x\" }}{{ range 1000 }}{{ $s = print $s $s }}{{ end }}",
        "{{ $a := args 1 }}{{ range 100000 }}{{ $a = args $a $a }}{{ end }}{{ $a }}",
        "{{ printf \"%999999999d\" 1 }}{{ range 100000 }}{{ printf \"%999999d\" 1 }}{{ end }}",
        "{{ $s := printf \"%100000d\" 1 }}{{ reReplaceAll \"\" $s $s }}",
    ])
    func `a template that would not end is stopped with an error`(text: String) throws {
        var limits = TemplateLimits.annotation
        limits.stepsMax = 50_000
        let template = try AnnotationTemplate(text, name: "a", limits: limits)
        #expect(throws: TemplateError.self) { try template.expand(context) }
    }

    @Test func `deep nesting is refused and not a crash`() {
        for text in [
            String(repeating: "{{ if true }}", count: 100_000),
            "{{ " + String(repeating: "(", count: 100_000),
            String(repeating: "{{ if true }}", count: 90) + "x" + String(repeating: "{{ end }}", count: 90),
        ] {
            _ = try? AnnotationTemplate(text, name: "a").expand(context)
        }
    }
}
