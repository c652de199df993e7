import Storage

let gorilla = Benchmark(name: "gorilla", summary: "XOR chunks of 120 samples: encode, decode, bytes (chunks=2000)") {
    options in
    let chunks = options.number("chunks", 2000)
    var generator = SeededGenerator(seed: 1)
    var counter = 1000.0
    let kinds: [(name: String, next: () -> Double)] = [
        (
            "counter, random increments",
            { () -> Double in
                counter += Double(Int.random(in: 0..<1000, using: &generator)); return counter
            }
        ),
        ("random gauge", { Double.random(in: 0..<100, using: &generator) }),
        ("constant", { 1 }),
    ]
    for (name, next) in kinds {
        var times: [Int64] = []
        var values: [UInt64] = []
        for index in 0..<(chunks * 120) {
            times.append(1_700_000_000_000 + Int64(index) * 15_000 + Int64.random(in: -5...5, using: &generator))
            values.append(next().bitPattern)
        }
        let room = XORChunk.byteCountMax(samples: 120)
        var encoded = [UInt8](repeating: 0, count: chunks * room)
        var bytes = 0
        var encoding = Best()
        var decoding = Best()
        for _ in 0..<5 {
            bytes = await encoding.measure { encodeAll(times, values, into: &encoded, room) }
            blackHole(await decoding.measure { decodeAll(encoded, chunks, room) })
        }
        print("\(name): \(rounded(Double(bytes) / Double(times.count))) bytes a sample")
        print("  encode \(encoding.per("sample", times.count))")
        print("  decode \(decoding.per("sample", times.count))")
    }
}

/// - Returns: the bytes of all chunks.
private func encodeAll(_ times: [Int64], _ values: [UInt64], into encoded: inout [UInt8], _ room: Int) -> Int {
    var bytes = 0
    times.withUnsafeBufferPointer { times in
        values.withUnsafeBufferPointer { values in
            encoded.withUnsafeMutableBufferPointer { encoded in
                guard let times = times.baseAddress, let values = values.baseAddress,
                    let target = encoded.baseAddress
                else { return }
                for chunk in 0..<(encoded.count / room) {
                    bytes += XORChunk.encode(
                        times: times + chunk * 120, values: values + chunk * 120, count: 120,
                        into: target + chunk * room)
                }
            }
        }
    }
    return bytes
}

private func decodeAll(_ encoded: [UInt8], _ chunks: Int, _ room: Int) -> UInt64 {
    var sum: UInt64 = 0
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 120) { times in
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 120) { values in
            encoded.withUnsafeBufferPointer { encoded in
                guard let source = encoded.baseAddress, let times = times.baseAddress, let values = values.baseAddress
                else { return }
                for chunk in 0..<chunks {
                    XORChunk.decode(source + chunk * room, times: times, values: values)
                    sum &+= values[119]
                }
            }
        }
    }
    return sum
}
