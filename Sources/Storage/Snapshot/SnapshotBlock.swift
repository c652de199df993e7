import Streams

/// The blocks of a snapshot file, of which each has a length and checksums of its own, so that damage is found and ends
/// with its block.
///
/// A file is `fileHead`, blocks of series, and one block that says it is the end. Numbers are little-endian. Checksums find
/// damage, not intent: the folder is the server's own.
struct SnapshotBlock: Sendable {
    /// The first byte of a block.
    enum Kind: UInt8 { case series = 1, end = 2 }

    /// A series, or a part of one.
    struct Part: Sendable {
        var labels: LabelSet
        var newest: Int64
        /// Where its chunks lie in the block.
        var body: Range<Int>
    }

    /// What the block at the end says.
    struct End: Sendable {
        /// The time was over before all series were written.
        var isCut: Bool
        var series: Int
        var samples: Int
    }

    // MARK: Heads

    private static let magic: [UInt8] = Array("tocsinSN".utf8)
    static let version: UInt32 = 1
    static let fileHeadBytes = 28
    static let headBytes = 16
    /// A block that says it is longer is damaged.
    static let bytesMax = 256 << 20
    private static let seed: UInt64 = 0x746F_6373_696E_534E

    private static func check(_ bytes: UnsafeRawBufferPointer, _ number: UInt64) -> UInt64 {
        ByteHash.hash(bytes, seed: seed &+ number)
    }

    static func fileHead(_ time: Timestamp) -> [UInt8] {
        var writer = SnapshotWriter()
        for byte in magic { writer.add(byte: byte) }
        writer.add(fixed: version)
        writer.add(fixed: time.milliseconds)
        let sum = writer.bytes.withUnsafeBytes { check($0, 0) }
        writer.add(fixed: sum)
        return writer.bytes
    }

    /// When the snapshot was written.
    static func readFileHead(_ bytes: [UInt8]) throws(SnapshotFailure) -> Timestamp {
        guard bytes.count == fileHeadBytes, bytes.starts(with: magic) else {
            throw SnapshotFailure("it is not a snapshot of samples")
        }
        let found = bytes.withUnsafeBytes { all in
            (
                version: UInt32(littleEndian: all.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
                time: Int64(littleEndian: all.loadUnaligned(fromByteOffset: 12, as: Int64.self)),
                isWhole: UInt64(littleEndian: all.loadUnaligned(fromByteOffset: 20, as: UInt64.self))
                    == check(UnsafeRawBufferPointer(rebasing: all[..<20]), 0)
            )
        }
        guard found.version == version else {
            throw SnapshotFailure("it has version \(found.version), and this server reads version \(version)")
        }
        guard found.isWhole else { throw SnapshotFailure("its head is damaged") }
        return Timestamp(milliseconds: found.time)
    }

    /// The head of the block with that number, counted from 1.
    static func head(_ payload: [UInt8], number: UInt64) -> [UInt8] {
        var writer = SnapshotWriter()
        writer.add(fixed: UInt32(payload.count))
        let sum = writer.bytes.withUnsafeBytes { check($0, number) }
        writer.add(fixed: UInt32(truncatingIfNeeded: sum))
        writer.add(fixed: payload.withUnsafeBytes { check($0, number) })
        return writer.bytes
    }

    struct Head: Sendable {
        var length: Int
        var sum: UInt64
    }

    /// Nil when it is damaged: where the next block begins is not known then.
    static func readHead(_ bytes: [UInt8], number: UInt64) -> Head? {
        bytes.withUnsafeBytes { all in
            guard all.count == headBytes else { return nil }
            let length = UInt32(littleEndian: all.loadUnaligned(as: UInt32.self))
            let sum = UInt32(littleEndian: all.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            let expected = check(UnsafeRawBufferPointer(rebasing: all[..<4]), number)
            guard sum == UInt32(truncatingIfNeeded: expected), length <= bytesMax else { return nil }
            return Head(
                length: Int(length),
                sum: UInt64(littleEndian: all.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    static func isWhole(_ payload: [UInt8], _ head: Head, number: UInt64) -> Bool {
        payload.count == head.length && payload.withUnsafeBytes { check($0, number) } == head.sum
    }

    // MARK: Contents

    static func kind(_ payload: [UInt8]) -> Kind? { payload.first.flatMap { Kind(rawValue: $0) } }

    static func end(_ end: End) -> [UInt8] {
        var writer = SnapshotWriter()
        writer.add(byte: Kind.end.rawValue)
        writer.add(byte: end.isCut ? 1 : 0)
        writer.add(number: end.series)
        writer.add(number: end.samples)
        return writer.bytes
    }

    static func readEnd(_ payload: [UInt8]) throws(SnapshotDamage) -> End {
        try read(payload) { reader throws(SnapshotDamage) in
            let isCut = try reader.byte() != 0
            let (series, samples) = (try reader.number(), try reader.number())
            return End(isCut: isCut, series: Int(clamping: series), samples: Int(clamping: samples))
        }
    }

    /// The series of a block, their chunks not looked at.
    static func parts(_ payload: [UInt8]) throws(SnapshotDamage) -> [Part] {
        try read(payload) { reader throws(SnapshotDamage) in
            var parts: [Part] = []
            var pairs: [Label] = []
            while reader.left > 0 {
                var labels: [Label] = []
                let count = try reader.count()
                guard count <= SeriesRecord.labelsMax else { throw SnapshotDamage() }
                labels.reserveCapacity(count)
                for _ in 0..<count {
                    let number = try reader.number()
                    if number == 0 { pairs.append(Label(try reader.text(), try reader.text())) }
                    guard number <= UInt64(pairs.count), !pairs.isEmpty else { throw SnapshotDamage() }
                    labels.append(pairs[number == 0 ? pairs.count - 1 : Int(number) - 1])
                }
                let newest = try reader.signed()
                let length = try reader.run().count
                parts.append(
                    Part(
                        labels: LabelSet(labels), newest: newest,
                        body: reader.position - length..<reader.position))
            }
            return parts
        }
    }

    /// Reads behind the byte that tells the kind.
    private static func read<Result>(
        _ payload: [UInt8], _ body: (inout SnapshotReader) throws(SnapshotDamage) -> Result
    ) throws(SnapshotDamage) -> Result {
        let result: Swift.Result<Result, SnapshotDamage> = payload.withUnsafeBytes { bytes in
            var reader = SnapshotReader(bytes, at: min(1, bytes.count))
            do throws(SnapshotDamage) { return .success(try body(&reader)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
