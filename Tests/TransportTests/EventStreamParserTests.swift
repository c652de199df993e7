import Streams
import Testing
import Transport

@Suite struct EventStreamParserTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let events: [ServerSentEvent]
        init(_ title: String, _ text: String, _ events: [ServerSentEvent]) {
            testDescription = title
            self.text = text
            self.events = events
        }
    }

    static let cases = [
        Case(
            "an event with all its fields", "id: e-1\nevent: firing\ndata: {}\n\n",
            [.init(type: "firing", data: "{}", id: "e-1")]),
        Case("data alone is a message", "data: x\n\n", [.init(data: "x")]),
        Case("several lines of data are joined", "data: a\ndata\ndata: b\n\n", [.init(data: "a\n\nb")]),
        Case(
            "one blank after the colon is taken away", "data:a\n\ndata:  b\n\n", [.init(data: "a"), .init(data: " b")]),
        Case("comments and unknown fields are skipped", ": beat\nwhat: x\ndata: y\n\n: beat\n\n", [.init(data: "y")]),
        Case("an event without data is none", "event: firing\nid: 7\n\ndata: z\n\n", [.init(data: "z", id: "7")]),
        Case(
            "an id holds until the next one", "id: 1\ndata: a\n\ndata: b\n\n",
            [.init(data: "a", id: "1"), .init(data: "b", id: "1")]),
        Case(
            "an empty id clears it", "id: 1\ndata: a\n\nid\ndata: b\n\n", [.init(data: "a", id: "1"), .init(data: "b")]),
        Case("an id with a zero byte is skipped", "id: 1\u{0}\ndata: a\n\n", [.init(data: "a")]),
        Case(
            "lines end with CR LF, CR or LF", "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
            [.init(data: "a"), .init(data: "b"), .init(data: "c")]),
        Case("a byte order mark may stand first", "\u{FEFF}data: a\n\n", [.init(data: "a")]),
        Case("an event that is not over is none", "data: a\n", []),
    ]

    @Test(arguments: cases, [1, 2, 3, 1000]) func `events come out however the bytes are cut`(
        _ example: Case, _ size: Int
    ) throws {
        var parser = EventStreamParser()
        var events: [ServerSentEvent] = []
        var rest = Array(example.text.utf8)[...]
        while !rest.isEmpty {
            events += try parser.feed(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(events == example.events)
        #expect(parser.lastEventID == (example.events.last?.id ?? ""))
    }

    @Test func `the time to wait is what the server said last, if it is a number`() throws {
        var parser = EventStreamParser()
        for (text, expected) in [
            ("retry: 1500\n", 1500), ("retry: soon\n", 1500), ("retry: -1\n", 1500),
            ("retry: 99999999999999999999\n", 1500), ("retry: 0\n", 0),
        ] {
            _ = try parser.feed(text.utf8)
            #expect(parser.retry == .milliseconds(expected))
        }
    }

    @Test(arguments: [Array(repeating: "x", count: 200).joined(), Array(repeating: "data: x\n", count: 200).joined()])
    func `an event longer than the bound is an error`(_ text: String) throws {
        var parser = EventStreamParser(eventBytesMax: 100)
        #expect(throws: TransportError.bodyTooLarge(limitBytes: 100)) { try parser.feed(text.utf8) }
    }

    @Test func `any number of short events fit`() throws {
        var parser = EventStreamParser(eventBytesMax: 100)
        let text = "id: 1\ndata: abc\n\n"
        #expect(try parser.feed(Array(repeating: text, count: 1000).joined().utf8).count == 1000)
    }
}
