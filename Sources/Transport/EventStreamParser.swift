import Streams

/// One event of a stream of server-sent events.
package struct ServerSentEvent: Sendable, Hashable {
    /// `message` where the server names none.
    package var type: String
    /// Several `data` lines are joined by line feeds.
    package var data: String
    /// What to send as `Last-Event-ID` to go on after this event; empty where the server named none.
    package var id: String

    package init(type: String = "message", data: String, id: String = "") {
        self.type = type
        self.data = data
        self.id = id
    }
}

/// Reads `text/event-stream` (WHATWG HTML, "Server-sent events"): bytes in, cut where the network likes, events out.
///
/// Holds one line and one event, both bounded together.
package struct EventStreamParser: Sendable {
    package let eventBytesMax: Int
    /// The id of the last event that was complete.
    package private(set) var lastEventID: String
    /// How long to wait before connecting again, where the server has said it.
    package private(set) var retry: Duration?

    private var line: [UInt8] = []
    private var isAfterCarriageReturn = false
    private var isFirstLine = true
    private var type = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var id: String

    /// - Parameter lastEventID: of the connection before this one.
    package init(eventBytesMax: Int = 1 << 20, lastEventID: String = "") {
        self.eventBytesMax = eventBytesMax
        self.lastEventID = lastEventID
        id = lastEventID
    }

    /// The events that these bytes complete.
    /// - Throws: `.bodyTooLarge` for an event longer than the bound; the parser is of no more use then.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws(TransportError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            // A line ends with CR LF, LF or CR alone; after CR it is over, whatever comes next.
            let isSecondHalf = isAfterCarriageReturn && byte == UInt8(ascii: "\n")
            isAfterCarriageReturn = byte == UInt8(ascii: "\r")
            if isSecondHalf { continue }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                if let event = endLine() { events.append(event) }
                continue
            }
            guard line.count + data.count < eventBytesMax else { throw .bodyTooLarge(limitBytes: eventBytesMax) }
            line.append(byte)
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        guard !line.isEmpty else { return endEvent() }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        var value = line[name.endIndex...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        set(String(decoding: name, as: UTF8.self), value)
        return nil
    }

    /// A name that is empty makes a comment; unknown names are skipped.
    private mutating func set(_ name: String, _ value: ArraySlice<UInt8>) {
        switch name {
        case "event": type = String(decoding: value, as: UTF8.self)
        case "data":
            if hasData { data.append(UInt8(ascii: "\n")) }
            data += value
            hasData = true
        case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
        case "retry":
            let isNumber = value.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            if isNumber, let milliseconds = Int32(String(decoding: value, as: UTF8.self)) {
                retry = .milliseconds(Int64(milliseconds))
            }
        default: break
        }
    }

    private mutating func endEvent() -> ServerSentEvent? {
        defer {
            type = ""
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        lastEventID = id
        guard hasData else { return nil }
        return ServerSentEvent(
            type: type.isEmpty ? "message" : type, data: String(decoding: data, as: UTF8.self), id: id)
    }
}
