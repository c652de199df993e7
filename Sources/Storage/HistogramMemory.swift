import Glibc
import Streams

/// The native histograms of one series, oldest first, numbered in the order of arrival. What stands among the series'
/// values for one of them is `Double.histogram(at: number)`; numbers go round at 32 bits.
private final class SeriesHistograms {
    struct Entry {
        let time: Int64
        let code: UnsafeMutableRawPointer
        let byteCount: Int
    }

    /// From the histogram with that number on, up to the next.
    struct ShapeRun {
        let first: UInt32
        let shape: HistogramShape
    }

    /// Those before `head` are gone.
    private var entries: [Entry] = []
    private var head = 0
    private var headNumber: UInt32 = 0
    private var shapes: [ShapeRun] = []
    /// What the shapes take, each measured as it comes and as it goes.
    private var shapeBytes = 0

    var count: Int { entries.count - head }
    var nextNumber: UInt32 { headNumber &+ UInt32(count) }

    func append(_ entry: Entry, _ histogram: NativeHistogram) {
        if shapes.last?.shape.isShape(of: histogram) != true {
            let run = ShapeRun(first: nextNumber, shape: HistogramShape(of: histogram))
            shapeBytes += run.shape.byteCount
            shapes.append(run)
        }
        entries.append(entry)
    }

    /// The entry and its shape; nil when it is not there (any more).
    func find(_ number: UInt32) -> (Entry, HistogramShape)? {
        let place = Int(number &- headNumber)
        guard place < count else { return nil }
        // Shapes are counted from the head, so that numbers that went round stay in order.
        let run = shapes.withUnsafeBufferPointer { runs in
            var low = 0
            var high = runs.count
            while low < high {
                let middle = (low + high) / 2
                let first = Int(Int32(bitPattern: runs[middle].first &- headNumber))
                if first > place { high = middle } else { low = middle + 1 }
            }
            return low - 1
        }
        guard run >= 0 else { return nil }
        return (entries[head + place], shapes[run].shape)
    }

    /// Takes out those before `time`, but never the one with the number `kept`.
    func drop(before time: Int64, except kept: UInt32?, _ free: (Entry) -> Void) {
        let before = head
        while count > 0, entries[head].time < time, headNumber != kept {
            free(entries[head])
            head += 1
            headNumber &+= 1
        }
        guard head > before else { return }
        var dead = 0
        while dead + 1 < shapes.count, Int32(bitPattern: shapes[dead + 1].first &- headNumber) <= 0 { dead += 1 }
        if count == 0 { dead = shapes.count }
        for run in shapes[..<dead] { shapeBytes -= run.shape.byteCount }
        shapes.removeFirst(dead)
        if head > entries.count / 2 {
            entries = Array(entries[head...])
            head = 0
        }
    }

    /// What the codes of those with a time in the range take.
    func codeBytes(from start: Int64, through end: Int64) -> Int {
        entries[head...].withUnsafeBufferPointer { entries in
            var index = entries.firstPlace { $0.time >= start }
            var sum = 0
            while index < entries.count, entries[index].time <= end {
                sum += entries[index].byteCount
                index += 1
            }
            return sum
        }
    }

    var byteCount: Int { Self.fixedBytes + entries.capacity * MemoryLayout<Entry>.stride + shapeBytes }

    /// The object, its place in the table, and the heads of its arrays.
    private static let fixedBytes = 200
}

/// The native histograms of a shard's series: of those that have any.
///
/// A histogram is encoded alone, so any of them can be read without the others; which buckets there are is kept once for
/// all that follow each other with the same ones.
struct HistogramMemory: ~Copyable {
    private var series: [UInt32: SeriesHistograms] = [:]
    private var code = FlatBuffer<UInt8>()
    /// Memory in use, without the codes, which lie in the shard's allocator.
    private(set) var byteCount = 0

    /// Keeps the newest histogram of a series.
    /// - Returns: the value that stands for it.
    mutating func append(
        _ histogram: NativeHistogram, at time: Int64, to id: UInt32, _ memory: inout SlabAllocator
    ) -> UInt64 {
        HistogramCode.encode(histogram, into: &code)
        let block = memory.allocate(code.count)
        block.copyMemory(from: code.base, byteCount: code.count)
        let one: SeriesHistograms
        if let known = series[id] {
            one = known
        } else {
            one = SeriesHistograms()
            series[id] = one
        }
        let number = one.nextNumber
        byteCount -= one.byteCount
        one.append(SeriesHistograms.Entry(time: time, code: block, byteCount: code.count), histogram)
        byteCount += one.byteCount
        return Double.histogram(at: Int(number)).bitPattern
    }

    /// Whether that is the histogram behind the value, by bits.
    mutating func isSame(_ histogram: NativeHistogram, as value: UInt64, of id: UInt32) -> Bool {
        guard let (entry, shape) = find(value, id), shape.isShape(of: histogram) else { return false }
        HistogramCode.encode(histogram, into: &code)
        return code.count == entry.byteCount && memcmp(code.base, entry.code, code.count) == 0
    }

    /// The histogram that a value stands for.
    func histogram(_ value: UInt64, of id: UInt32) -> NativeHistogram? {
        guard let (entry, shape) = find(value, id) else { return nil }
        return HistogramCode.decode(entry.code.assumingMemoryBound(to: UInt8.self), shape)
    }

    /// The code of the histogram that a value stands for, good until the table changes, and its shape.
    func code(_ value: UInt64, of id: UInt32) -> (bytes: UnsafeRawBufferPointer, shape: HistogramShape)? {
        guard let (entry, shape) = find(value, id) else { return nil }
        return (UnsafeRawBufferPointer(start: entry.code, count: entry.byteCount), shape)
    }

    private func find(_ value: UInt64, _ id: UInt32) -> (SeriesHistograms.Entry, HistogramShape)? {
        series[id]?.find(UInt32(truncatingIfNeeded: value))
    }

    /// Drops what is before `time`, but not the histogram that is the series' newest sample: a repeated one is compared
    /// with it.
    /// - Returns: whether any are left.
    mutating func drop(
        _ id: UInt32, before time: Int64, newest value: UInt64, _ memory: inout SlabAllocator
    ) -> Bool {
        guard let one = series[id] else { return false }
        let kept = Double(bitPattern: value).isHistogram ? UInt32(truncatingIfNeeded: value) : nil
        byteCount -= one.byteCount
        one.drop(before: time, except: kept) { memory.free($0.code, $0.byteCount) }
        if one.count == 0 {
            series[id] = nil
            return false
        }
        byteCount += one.byteCount
        return true
    }

    /// Forgets a series.
    mutating func remove(_ id: UInt32, _ memory: inout SlabAllocator) {
        guard let one = series.removeValue(forKey: id) else { return }
        byteCount -= one.byteCount
        one.drop(before: .max, except: nil) { memory.free($0.code, $0.byteCount) }
    }

    /// What codes of a series take that come from a stretch of time.
    func codeBytes(_ id: UInt32, from start: Int64, through end: Int64) -> Int {
        series[id]?.codeBytes(from: start, through: end) ?? 0
    }
}
