import CSnappy
import Sources
import Streams

/// Requests of remote write 1.0 as Prometheus sends them: one sample a series, about 150 bytes of labels.
private struct WriteRequests {
    private(set) var bodies: [[UInt8]] = []
    private var message: [UInt8] = []

    init(requests: Int, series: Int) {
        for request in 0..<requests {
            message = []
            for index in 0..<series { append(request * series + index) }
            var body = [UInt8](repeating: 0, count: snappy_max_compressed_length(message.count))
            var count = body.count
            message.withUnsafeBytes { message in
                body.withUnsafeMutableBytes { body in
                    _ = snappy_compress(
                        message.bindMemory(to: CChar.self).baseAddress, message.count,
                        body.bindMemory(to: CChar.self).baseAddress, &count)
                }
            }
            bodies.append(Array(body.prefix(count)))
        }
    }

    private mutating func append(_ number: Int) {
        var series: [UInt8] = []
        for label in benchmarkLabels(number) {
            var text: [UInt8] = []
            Self.block(1, Array(label.name.utf8), &text)
            Self.block(2, Array(label.value.utf8), &text)
            Self.block(1, text, &series)
        }
        var sample: [UInt8] = [1 << 3 | 1]
        withUnsafeBytes(of: Double(number).bitPattern) { sample += $0 }
        sample.append(2 << 3)
        Self.varint(1_700_000_000_000, &sample)
        Self.block(2, sample, &series)
        Self.block(1, series, &message)
    }

    private static func varint(_ value: UInt64, _ bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func block(_ field: UInt64, _ content: [UInt8], _ bytes: inout [UInt8]) {
        varint(field << 3 | 2, &bytes)
        varint(UInt64(content.count), &bytes)
        bytes += content
    }
}

/// Gives ids to what a batch does not know, in order.
private func resolve(_ batch: inout UnresolvedBatch, _ next: inout UInt32, _ cache: SeriesCache) {
    let ids = batch.unknown.indices.map { SeriesID(rawValue: next + UInt32($0)) }
    next += UInt32(ids.count)
    batch.resolve(ids, into: cache)
}

let remoteWrite = Benchmark(
    name: "remote-write", summary: "remote write requests into samples (requests=50 series=2000 rounds=20)"
) { options in
    let series = options.number("series", 2000)
    let requests = WriteRequests(requests: options.number("requests", 50), series: series)
    let total = requests.bodies.count * series
    print("\(requests.bodies.count) requests of \(requests.bodies[0].count) bytes")
    let cache = SeriesCache()
    let decoder = RemoteWriteDecoder(cache: cache)
    var next: UInt32 = 0
    func all() throws {
        for body in requests.bodies {
            var request = try body.withUnsafeBytes { try decoder.decode($0) }
            resolve(&request.batch, &next, cache)
            precondition(request.batch.samples.count == series)
        }
    }
    var first = Best()
    try await first.measure { try all() }
    print("unknown series: \(first.per("sample", total))")
    var known = Best()
    for _ in 0..<options.number("rounds", 20) { try await known.measure { try all() } }
    print("known series: best \(known.per("sample", total))")
    print("  \(rounded(Double(known.cpu) / Double(requests.bodies.count) / 1000)) us a request")
}

let stream = Benchmark(
    name: "stream", summary: "a pushed stream of text into samples (series=100000 chunk=65536 rounds=10)"
) { options in
    let series = options.number("series", 100_000)
    let size = options.number("chunk", 65_536)
    let exposition = BenchmarkExposition(series: series, values: .short)
    let cache = SeriesCache()
    var next: UInt32 = 0
    func all(_ round: Int) throws {
        var count = 0
        var parser = StreamParser(at: Timestamp(milliseconds: 0), cache: cache)
        func take(_ batch: UnresolvedBatch) {
            var batch = batch
            resolve(&batch, &next, cache)
            count += batch.samples.count
        }
        try exposition.withBody(round) { body in
            for start in stride(from: 0, to: body.count, by: size) {
                parser.feed(UnsafeRawBufferPointer(rebasing: body[start..<min(body.count, start + size)]))
                while let batch = try parser.next() { take(batch) }
            }
        }
        while let batch = try parser.finish() { take(batch) }
        precondition(count == series)
    }
    var first = Best()
    try await first.measure { try all(0) }
    print("unknown series: \(first.per("sample", series))")
    var known = Best()
    for round in 1...options.number("rounds", 10) { try await known.measure { try all(round) } }
    print("known series: best \(known.per("sample", series))")
}
