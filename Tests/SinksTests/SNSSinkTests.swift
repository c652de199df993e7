import Sinks
import Streams
import TestKit
import Testing
import Transport

@Suite struct SNSSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(
        200, "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>")
    private static let topic = "arn:aws:sns:us-east-2:123456789012:alerts"

    @Test func `SNS is a sink as every other`() async throws {
        try await SinkContract(SNSSink.self, accepted: Self.accepted, secrets: ["wJalrXUtnFEMI-SECRET"]) { url in
            """
            api_url: \(url)
            topic_arn: \(Self.topic)
            sigv4: {region: us-east-2, access_key: AKIDEXAMPLE, secret_key: wJalrXUtnFEMI-SECRET}
            """
        }.check()
    }

    private func exchange(
        _ settings: String = "topic_arn: \(topic)",
        sigv4: String = "{region: us-east-2, access_key: AK, secret_key: SK}",
        _ notification: Notification = SinkBench.group(), environment: [String: String] = [:],
        answer: @escaping @Sendable (TestHTTPServer.Request) -> TestHTTPServer.Answer = { _ in accepted }
    ) async throws -> SinkExchange {
        try await SinkExchange.run(
            SNSSink.self, "api_url: URL/\nsigv4: \(sigv4)\n" + settings, notification, environment: environment,
            answer: answer)
    }

    // MARK: signatures

    private static let exampleKey = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    /// Amazon's own example (docs.aws.amazon.com, "Create a signed AWS API request"), and one made by botocore 1.43.11.
    @Test func `requests are signed as Amazon's own tools do`() throws {
        let listing = AWSSignature(
            credentials: AWSCredentials(accessKey: "AKIDEXAMPLE", secretKey: Self.exampleKey), region: "us-east-1",
            service: "iam", time: Timestamp(milliseconds: 1_440_938_160_000)
        ).headers(
            .get, try URLString("https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers"),
            [HTTPField("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body: [])
        #expect(
            listing == [
                HTTPField("X-Amz-Date", "20150830T123600Z"),
                HTTPField(
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                        + "SignedHeaders=content-type;host;x-amz-date, "
                        + "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
            ])
        let publishing = AWSSignature(
            credentials: AWSCredentials(
                accessKey: "AKIDEXAMPLE", secretKey: Self.exampleKey, sessionToken: Secret("session//token==")),
            region: "us-east-2", service: "sns", time: Timestamp(milliseconds: 1_767_225_600_000)
        ).headers(
            .post, try URLString("https://sns.us-east-2.amazonaws.com/"),
            [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("Action=Publish&Message=a%20b".utf8))
        #expect(
            publishing.last?.value.hasSuffix(
                "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
                    + "Signature=93cf273055cd0b1df0b4cd4017d82036a76da8dcf7a270b978a625e44d36f051") == true)
    }

    @Test func `what is sent is what was signed`() async throws {
        let exchange = try await exchange()
        let request = try #require(exchange.requests.first)
        let host = try #require(request.headers["host"])
        let expected = AWSSignature(
            credentials: AWSCredentials(accessKey: "AK", secretKey: Secret("SK")), region: "us-east-2", service: "sns",
            time: ManualClock().now()
        ).headers(
            .post, try URLString("http://\(host)/"),
            [HTTPField("Content-Type", request.headers["content-type"] ?? "")], body: request.body)
        for field in expected { #expect(request.headers[field.name.lowercased()] == field.value) }
        #expect(request.method == "POST" && request.path == "/")
        #expect(request.headers["content-type"] == "application/x-www-form-urlencoded")
    }

    // MARK: messages

    @Test func `a message of which nothing is said is Alertmanager's`() async throws {
        let form = try await exchange().form
        #expect(form["Action"] == "Publish" && form["Version"] == "2010-03-31")
        #expect(form["TopicArn"] == Self.topic)
        #expect(form["Subject"] == "[FIRING:1] Down (critical)")
        #expect(form["Message"]?.contains(" - instance = a\n") == true)
        #expect(form["MessageGroupId"] == nil && form["MessageAttributes.entry.1.Name"] == nil)
    }

    @Test func `every key reaches SNS under its name, filled in`() async throws {
        let form = try await exchange(
            """
            target_arn: 'arn:aws:sns:us-east-2:1:{{ .Receiver }}'
            subject: "ü {{ .Status }}\\n\(long(120, "x"))"
            message: m {{ .Status }}
            attributes: {b: '{{ .Receiver }}', a: one}
            use_aws_http_client: true
            """
        ).form
        #expect(form["TargetArn"] == "arn:aws:sns:us-east-2:1:team" && form["TopicArn"] == nil)
        #expect(form["Subject"] == "? firing " + long(88, "x") + "...")
        #expect(form["Message"] == "m firing")
        for (name, value) in [
            ("1.Name", "a"), ("1.Value.DataType", "String"), ("1.Value.StringValue", "one"), ("2.Name", "b"),
            ("2.Value.StringValue", "team"),
        ] { #expect(form["MessageAttributes.entry.\(name)"] == value) }
    }

    @Test func `a topic that is a queue gets a key for each notification`() async throws {
        let fifo = "topic_arn: \(Self.topic).fifo"
        let first = try await exchange(fifo).form
        #expect(
            first["MessageGroupId"] == "af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e")
        let again = try await exchange(fifo).form
        #expect(again["MessageDeduplicationId"] == first["MessageDeduplicationId"])
        let next = try await exchange(fifo, SinkBench.group { $0.id = "n2" }).form
        #expect(next["MessageDeduplicationId"] != first["MessageDeduplicationId"])
    }

    @Test func `what is too long is cut, and says so`() async throws {
        let large = try await exchange("topic_arn: \(Self.topic)\nmessage: \(long(140_000))").form
        #expect(large["Message"]?.utf8.count == 256 << 10 - 1 || large["Message"]?.utf8.count == 256 << 10)
        #expect(large["MessageAttributes.entry.1.Name"] == "truncated")
        #expect(large["MessageAttributes.entry.1.Value.StringValue"] == "true")
        let phone = try await exchange("phone_number: '+15550100'\nmessage: \(long(1700))").form
        #expect(phone["PhoneNumber"] == "+15550100" && phone["Message"] == long(1599) + "…")
    }

    static let answers: [(Int, String, Bool)] = [
        (400, "Throttling", true), (400, "InvalidParameter", false), (403, "ExpiredTokenException", true),
        (403, "InvalidClientTokenId", false), (404, "NotFound", false), (500, "InternalError", true),
    ]

    @Test("Errors are told apart by their codes", arguments: answers)
    func errors(_ status: Int, _ code: String, _ passes: Bool) async throws {
        let exchange = try await exchange { _ in
            .text(
                status,
                "<ErrorResponse><Error><Type>x</Type><Code>\(code)</Code><Message>a &lt; b</Message></Error></ErrorResponse>"
            )
        }
        switch exchange.error {
        case .unavailable(let reason, _):
            #expect(passes && reason.hasSuffix("HTTP \(status): \(code): a < b"), "\(reason)")
        case .refused(let reason): #expect(!passes && reason.hasSuffix("HTTP \(status): \(code): a < b"), "\(reason)")
        default: Issue.record("\(String(describing: exchange.error))")
        }
    }

    // MARK: credentials

    private func scope(_ exchange: SinkExchange, _ place: Int = 0) -> String {
        guard exchange.requests.count > place else { return "\(String(describing: exchange.error))" }
        let value = exchange.requests[place].headers["authorization"] ?? ""
        return value.split(separator: "Credential=").last?.split(separator: ",").first.map(String.init) ?? value
    }

    @Test func `credentials and region come from the environment and from files too`() async throws {
        let environment = [
            "AWS_ACCESS_KEY_ID": "EK", "AWS_SECRET_ACCESS_KEY": "ES", "AWS_SESSION_TOKEN": "ET",
            "AWS_REGION": "eu-west-1",
        ]
        let fromEnvironment = try await exchange(sigv4: "{}", environment: environment)
        #expect(scope(fromEnvironment) == "EK/20260101/eu-west-1/sns/aws4_request")
        #expect(fromEnvironment.requests.first?.headers["x-amz-security-token"] == "ET")
        let folder = try TemporaryFolder()
        try folder.write(
            "credentials",
            "[default]\naws_access_key_id = DK\naws_secret_access_key = DS\n[ml]\n# x\naws_access_key_id=MK\naws_secret_access_key=MS\n"
        )
        try folder.write("config", "[default]\nregion = r-1\n[profile ml]\nregion = ap-south-1\n")
        let files = [
            "AWS_SHARED_CREDENTIALS_FILE": folder.path("credentials"), "AWS_CONFIG_FILE": folder.path("config"),
        ]
        #expect(
            scope(try await exchange(sigv4: "{profile: ml}", environment: files.merging(environment) { $1 }))
                == "MK/20260101/eu-west-1/sns/aws4_request")
        #expect(
            scope(try await exchange(sigv4: "{profile: ml}", environment: files))
                == "MK/20260101/ap-south-1/sns/aws4_request")
        #expect(scope(try await exchange(sigv4: "{}", environment: files)) == "DK/20260101/r-1/sns/aws4_request")
        // The topic knows where it is.
        #expect(
            scope(try await exchange(sigv4: "{access_key: AK, secret_key: SK}"))
                == "AK/20260101/us-east-2/sns/aws4_request")
        guard case .refused(let reason)? = try await exchange(sigv4: "{}").error else {
            Issue.record("there are credentials")
            return
        }
        #expect(reason.hasPrefix("no AWS credentials"))
    }

    @Test func `a role is taken on once for many notifications`() async throws {
        let server = try TestHTTPServer { request in
            guard request.text.contains("AssumeRole") else { return Self.accepted }
            return .text(
                200,
                """
                <AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>RK</AccessKeyId>
                <SecretAccessKey>RS</SecretAccessKey><SessionToken>RT</SessionToken></Credentials>
                </AssumeRoleResult></AssumeRoleResponse>
                """)
        }
        try await SinkBench.run(environment: ["AWS_ENDPOINT_URL_STS": server.url]) { bench in
            let sink = try bench.sink(
                SNSSink.self,
                """
                api_url: \(server.url)
                topic_arn: \(Self.topic)
                sigv4: {region: us-east-2, access_key: AK, secret_key: SK, role_arn: 'arn:r', external_id: x}
                """)
            for _ in 1...3 { try await sink.deliver(SinkBench.group()) }
        }
        let exchange = SinkExchange(requests: server.requests, error: nil)
        #expect(exchange.requests.count == 4)
        #expect(scope(exchange) == "AK/20260101/us-east-2/sts/aws4_request")
        let form = try exchange.form
        #expect(form["RoleArn"] == "arn:r" && form["ExternalId"] == "x" && form["RoleSessionName"] == "tocsin")
        #expect(scope(exchange, 1) == "RK/20260101/us-east-2/sns/aws4_request")
        #expect(exchange.requests[1].headers["x-amz-security-token"] == "RT")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(SNSSink.self, "{sigv4: {region: r}}", ["1:1: an sns config needs one of"])
        try expectErrors(SNSSink.self, "{topic_arn: a, target_arn: b}", ["1:28: an sns config needs one of"])
        try expectErrors(
            SNSSink.self, "{topic_arn: a, sigv4: {access_key: k}}",
            ["1:23: key \"secret_key\" is missing in a sigv4 config"])
        try expectErrors(SNSSink.self, "{topic_arn: a, sigv4: {regoin: r}}", ["1:24: unknown key \"regoin\""])
    }
}
