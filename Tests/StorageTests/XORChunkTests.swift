import Streams
import Testing

@testable import Storage

@Suite struct XORChunkTests {
    private func roundTrip(_ times: [Int64], _ values: [UInt64]) -> (times: [Int64], values: [UInt64], bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: XORChunk.byteCountMax(samples: times.count))
        let used = bytes.withUnsafeMutableBufferPointer { target in
            times.withUnsafeBufferPointer { times in
                values.withUnsafeBufferPointer { values in
                    XORChunk.encode(
                        times: times.baseAddress!, values: values.baseAddress!, count: times.count,
                        into: target.baseAddress!)
                }
            }
        }
        var readTimes = [Int64](repeating: 0, count: times.count)
        var readValues = [UInt64](repeating: 0, count: times.count)
        bytes.withUnsafeBufferPointer { source in
            _ = XORChunk.decode(source.baseAddress!, times: &readTimes, values: &readValues)
        }
        return (readTimes, readValues, Array(bytes[..<used]))
    }

    private static let oddTimes: [[Int64]] = [
        [0], [.min], [.max], [.min, .max], [.min + 1, 0, .max - 1], [-5, -4, 1_000_000_000_000],
        [0, 1, 1 + 8192, 2 + 8192, 2 + 8192 + 65536, 3 + 8192 + 65536, 4 + 8192 + 65536 + 524_288],
        [0, 10_000, 20_000 - 8191, 30_000, 40_000 - 8193, 200_000, 800_000, 801_000, 40_000_000_000],
    ]

    @Test("Times of any distance come back", arguments: oddTimes)
    func times(_ times: [Int64]) {
        let values = times.indices.map { Double($0).bitPattern }
        let result = roundTrip(times, values)
        #expect(result.times == times)
        #expect(result.values == values)
    }

    @Test func `every bit of a value comes back, NaNs' too`() {
        let values: [UInt64] =
            [
                0, StaleMarker.value, .nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude,
                .greatestFiniteMagnitude, StaleMarker.normalNaN, 1, 1, 1.5, -1.5, .pi,
            ].map(\.bitPattern) + [.max, 0, 1, .max, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001]
        let result = roundTrip(values.indices.map { Int64($0) * 15_000 }, values)
        #expect(result.values == values)
    }

    @Test("Random samples come back", arguments: 0..<40)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...120, using: &generator)
        var time = Int64.random(in: -1_000_000...2_000_000_000_000, using: &generator)
        var times: [Int64] = []
        var values: [UInt64] = []
        for _ in 0..<count {
            times.append(time)
            time += 1 + Int64.random(in: 0...(1 << Int64.random(in: 0...40, using: &generator)), using: &generator)
            values.append(
                Bool.random(using: &generator)
                    ? UInt64.random(in: 0 ... .max, using: &generator)
                    : Double(Int.random(in: 0...100, using: &generator)).bitPattern)
        }
        let result = roundTrip(times, values)
        #expect(result.times == times)
        #expect(result.values == values)
    }

    /// The bytes follow from the format's description: count, zigzag varint, first value, varint delta, XOR bits.
    @Test func `the encoding is Prometheus's, bit by bit`() {
        let result = roundTrip([1, 3, 5], [1.0, 1.0, 2.0].map(\.bitPattern))
        var bits = "0000000000000011" + "00000010" + "0011111111110000" + String(repeating: "0", count: 48)
        bits += "00000010" + "0"
        // Delta of delta 0, then 1.0 ^ 2.0 = 0x7FF0...: 1 leading zero, 11 significant bits.
        bits += "0" + "11" + "00001" + "001011" + "11111111111"
        while bits.count % 8 != 0 { bits += "0" }
        let bytes = stride(from: 0, to: bits.count, by: 8).map { offset in
            let start = bits.index(bits.startIndex, offsetBy: offset)
            return UInt8(bits[start..<bits.index(start, offsetBy: 8)], radix: 2)!
        }
        #expect(result.bytes == bytes)
    }
}
