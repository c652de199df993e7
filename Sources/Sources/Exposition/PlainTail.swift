import Streams

/// What stands behind the series on nearly every line: one blank, a number, maybe one blank and a timestamp.
struct PlainTail {
    var value: Double
    /// Milliseconds.
    var timestamp: Int64?

    /// Reads it and leaves `place` at the line break; nil when the line is of another kind, which takes a full reading to
    /// understand. The line must end, and eight bytes behind its end must be readable.
    @inline(__always)
    static func scan(_ place: inout UnsafePointer<UInt8>, _ format: ExpositionFormat) -> PlainTail? {
        guard place.pointee == 0x20 else { return nil }
        place += 1
        var tail: PlainTail
        if let number = FloatParser.scan(&place) {
            tail = PlainTail(value: number)
        } else if place[0] == 0x4E, place[1] == 0x61, place[2] == 0x4E {
            tail = PlainTail(value: StaleMarker.normalNaN)
            place += 3
        } else {
            return nil
        }
        if place.pointee == 0x20 {
            place += 1
            guard let time = time(&place, format) else { return nil }
            tail.timestamp = time
        }
        return place.pointee == 0x0A ? tail : nil
    }

    @inline(__always)
    private static func time(_ place: inout UnsafePointer<UInt8>, _ format: ExpositionFormat) -> Int64? {
        switch format {
        case .text:
            let start = place
            var time: Int64 = 0
            while place.pointee &- 48 < 10, place - start < 18 {
                time = time &* 10 &+ Int64(place.pointee &- 48)
                place += 1
            }
            return place == start ? nil : time
        case .openMetrics:
            guard let seconds = FloatParser.scan(&place) else { return nil }
            return Int64(exactly: (seconds * 1000).rounded(.towardZero))
        }
    }
}
