import Sinks
import Streams
import TestKit
import Testing

@Suite struct WebexSinkTests {
    private static let accepted = TestHTTPServer.Answer.text(200, #"{"id":"m"}"#)

    @Test func `Webex is a sink as every other`() async throws {
        try await SinkContract(WebexSink.self, accepted: Self.accepted, secrets: ["w-SECRET"]) { url in
            "api_url: \(url)/v1/messages\nroom_id: r\nhttp_config: {authorization: {credentials: w-SECRET}}"
        }.check()
    }

    private func exchange(_ settings: String = "", globals: String = "{}") async throws -> SinkExchange {
        try await SinkExchange.run(
            WebexSink.self,
            "room_id: 'r-{{ .Receiver }}'\nhttp_config: {authorization: {credentials: x}}\n" + settings,
            globals: globals
        ) { _ in Self.accepted }
    }

    @Test func `a message goes to its room`() async throws {
        let exchange = try await exchange(globals: "webex_api_url: URL/g")
        #expect(exchange.requests.first?.path == "/g")
        #expect(exchange.requests.first?.headers["authorization"] == "Bearer x")
        let message = try exchange.document
        #expect(message["roomId"]?.string == "r-team")
        #expect(message["markdown"]?.string?.contains(" - instance = a\n") == true)
        #expect(try await self.exchange("api_url: URL\nmessage: m {{ .Status }}").document["markdown"] == "m firing")
    }

    @Test(
        "A message is cut in bytes, between characters",
        arguments: [("x", 7436), ("ä", 7436), ("€", 7434), ("😀", 7436)] as [(Character, Int)])
    func bounds(_ character: Character, _ kept: Int) async throws {
        let text = try await exchange("api_url: URL\nmessage: '\(long(8000, character))'").document["markdown"]?.string
        #expect(text == long(kept / String(character).utf8.count, character) + "…")
    }

    @Test func `what is wrong is told with its place`() throws {
        try expectErrors(
            WebexSink.self, "{http_config: {authorization: {credentials: x}}}",
            ["1:1: key \"room_id\" is missing in a webex config"])
        try expectErrors(WebexSink.self, "{room_id: r}", ["1:1: a webex config needs a bot's token"])
        try expectErrors(
            WebexSink.self, "{room_id: r, http_config: {basic_auth: {username: u}}}",
            ["1:27: a webex config needs a bot's token"])
        // The global one is another service's.
        try expectErrors(
            WebexSink.self, "{room_id: r}", globals: "http_config: {authorization: {credentials: x}}",
            ["1:1: a webex config needs a bot's token"])
    }
}
