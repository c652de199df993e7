import Streams

/// Cuts an input into whole lines, counts them, and gives those without a time the one at which they came.
struct LineBatches {
    struct Batch {
        var bytes: [UInt8] = []
        var lineCount = 0
        /// Lines of the input before this batch.
        var linesBefore: Int
    }

    let bytesMax: Int
    /// The beginning of a line whose end has not come.
    private var held: [UInt8] = []
    private var lines = 0
    private var stamps = ArrivalTimes()

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// The lines that are whole now; at the end of the input also one without a line feed. Nil when there is none.
    mutating func take(_ reading: StandardInput.Reading) throws(PushFailure) -> Batch? {
        var batch = Batch(linesBefore: lines)
        for piece in reading.pieces {
            stamps.begin(at: piece.time.milliseconds)
            var rest = piece.bytes[...]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                add(rest[..<end], to: &batch)
                rest = rest[(end + 1)...]
            }
            held += rest
            guard held.count <= bytesMax else {
                throw PushFailure("line \(lines + batch.lineCount + 1) is longer than \(bytesMax) bytes")
            }
        }
        if reading.isEnd, !held.isEmpty { add([], to: &batch) }
        lines += batch.lineCount
        return batch.lineCount == 0 ? nil : batch
    }

    private mutating func add(_ end: ArraySlice<UInt8>, to batch: inout Batch) {
        let line = held.isEmpty ? end : (held + end)[...]
        if !held.isEmpty { held = [] }
        batch.bytes += line
        if let series = PlainLine.seriesWithoutTime(line) {
            // A carriage return would stand between the value and its time.
            while let last = batch.bytes.last, PlainLine.isBlank(last) { batch.bytes.removeLast() }
            batch.bytes += " \(stamps.next(of: series))".utf8
        }
        batch.bytes.append(UInt8(ascii: "\n"))
        batch.lineCount += 1
    }
}

/// The times of lines as they come: that of the clock, and for a series that has had it already the next one, up to a
/// second ahead of the clock. What comes faster is left to the server to refuse.
struct ArrivalTimes {
    private static let aheadMax: Int64 = 1000

    private var now: Int64 = 0
    /// The last time of each series that had one which is not past.
    private var last: [ArraySlice<UInt8>: Int64] = [:]

    mutating func begin(at time: Int64) {
        if time == now { return }
        now = time
        last = last.filter { $0.value >= time }
    }

    mutating func next(of series: ArraySlice<UInt8>) -> Int64 {
        let time = min(now + Self.aheadMax, max(now, last[series].map { $0 + 1 } ?? now))
        // A slice would keep all of its line.
        last[ArraySlice(Array(series))] = time
        return time
    }
}

/// A line of the text format, as far as it takes to see whether it has a time.
enum PlainLine {
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }

    /// The series of a line that has a series and a value and nothing more. Nil: it has a time, or is no sample; the
    /// server says which.
    static func seriesWithoutTime(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let text = line.drop(while: isBlank)
        guard let first = text.first, first != UInt8(ascii: "#") else { return nil }
        guard let end = seriesEnd(text) else { return nil }
        let words = text[end...].split(whereSeparator: isBlank)
        return words.count == 1 ? text[..<end] : nil
    }

    private static func seriesEnd(_ text: ArraySlice<UInt8>) -> Int? {
        let nameEnd = text.firstIndex { isBlank($0) || $0 == UInt8(ascii: "{") }
        guard let nameEnd else { return nil }
        // Labels may stand a blank away from the name.
        guard let open = text[nameEnd...].firstIndex(where: { !isBlank($0) }), text[open] == UInt8(ascii: "{") else {
            return nameEnd
        }
        var isQuoted = false
        var place = open + 1
        while place < text.endIndex {
            switch text[place] {
            case UInt8(ascii: "\\") where isQuoted: place += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "}") where !isQuoted: return place + 1
            default: break
            }
            place += 1
        }
        return nil
    }
}
