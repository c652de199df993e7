internal import Glibc
internal import Synchronization

/// A time zone: UTC, a fixed offset, or rules of the machine's zone database.
package enum Zone: Sendable {
    case utc
    /// Seconds east of UTC; the name may be empty.
    case fixed(String, Int)
    case named(String, ZoneRules)

    package func offset(at seconds: Int64) -> (seconds: Int, name: String) {
        switch self {
        case .utc: (0, "UTC")
        case .fixed(let name, let offset): (offset, name)
        case .named(_, let rules): rules.offset(at: seconds)
        }
    }

    var name: String {
        switch self {
        case .utc: "UTC"
        case .fixed(let name, _), .named(let name, _): name
        }
    }

    var goName: String {
        switch self {
        case .utc: "UTC"
        case .fixed(let name, let offset): "FixedZone(\(GoText.quote(name)), \(offset))"
        case .named(let name, _): "Location(\(GoText.quote(name)))"
        }
    }

    private static let cache = Mutex<[String: Zone]>([:])

    /// `time.LoadLocation`: "" and UTC, Local, or a name of the zone database. Read once, then kept.
    package static func load(_ name: String) -> Zone? {
        if name.isEmpty || name == "UTC" { return .utc }
        if let known = cache.withLock({ $0[name] }) { return known }
        guard let zone = read(name) else { return nil }
        cache.withLock { if $0.count < 1000 { $0[name] = zone } }
        return zone
    }

    private static func read(_ name: String) -> Zone? {
        if name == "Local" {
            let setting = getenv("TZ").map { String(cString: $0) }
            if let setting { return setting == "Local" ? .utc : load(setting) ?? .utc }
            return ZoneRules(file: "/etc/localtime").map { .named("Local", $0) } ?? .utc
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && !name.utf8.contains(0x5C)
        guard isPlain, name.utf8.count < 100, !name.utf8.contains(0) else { return nil }
        return ZoneRules(file: "/usr/share/zoneinfo/\(name)").map { .named(name, $0) }
    }
}

/// The changes of a zone's offset, as a TZif file (RFC 9636) lists them, and the rule for the years after the last.
package final class ZoneRules: Sendable {
    private struct Period {
        var offset: Int
        var name: String
        var isDaylight: Bool
    }

    private let changes: [Int64]
    private let periods: [Int]
    private let types: [Period]
    private let rule: ZoneRule?

    private static let sizeMax = 1 << 20

    convenience init?(file path: String) {
        guard let bytes = Self.contents(of: path) else { return nil }
        self.init(bytes)
    }

    /// A small file of the system; nil when there is none or it is no file.
    private static func contents(of path: String) -> [UInt8]? {
        guard let file = fopen(path, "rbe") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: sizeMax)
        let count = fread(&bytes, 1, sizeMax, file)
        return count > 0 && count < sizeMax ? Array(bytes[..<count]) : nil
    }

    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let first = reader.header() else { return nil }
        var counts = first
        var width = 4
        if first.version >= 2 {
            // The first block, with 32-bit times, stands before the one that counts.
            guard reader.skip(first.size(timeWidth: 4)), let second = reader.header() else { return nil }
            (counts, width) = (second, 8)
        }
        guard counts.types > 0, reader.has(counts.size(timeWidth: width)) else { return nil }
        changes = (0..<counts.times).map { _ in reader.signed(width) }
        periods = (0..<counts.times).map { _ in Int(reader.byte()) }
        let raw = (0..<counts.types).map { _ in (Int(reader.signed(4)), reader.byte() != 0, Int(reader.byte())) }
        let names = reader.take(counts.names)
        types = raw.map { offset, isDaylight, index in
            let name = index < names.count ? names[index...].prefix { $0 != 0 } : []
            return Period(offset: offset, name: String(decoding: name, as: UTF8.self), isDaylight: isDaylight)
        }
        guard periods.allSatisfy({ $0 < counts.types }) else { return nil }
        guard reader.skip(counts.leaps * (width + 4) + counts.standards + counts.universals) else { return nil }
        let footer = reader.rest().drop { $0 == 0x0A }.prefix { $0 != 0x0A }
        rule = width == 8 ? ZoneRule(String(decoding: footer, as: UTF8.self)) : nil
    }

    func offset(at seconds: Int64) -> (seconds: Int, name: String) {
        guard let first = changes.first, seconds >= first else {
            let standard = types.first { !$0.isDaylight } ?? types[0]
            return changes.isEmpty
                ? rule?.offset(at: seconds) ?? (standard.offset, standard.name) : (standard.offset, standard.name)
        }
        if let last = changes.last, seconds >= last, let rule { return rule.offset(at: seconds) }
        var (low, high) = (0, changes.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if changes[middle] <= seconds { low = middle } else { high = middle }
        }
        let period = types[periods[low]]
        return (period.offset, period.name)
    }

    private struct Counts {
        var version: Int
        var universals: Int, standards: Int, leaps: Int, times: Int, types: Int, names: Int

        func size(timeWidth: Int) -> Int {
            times * (timeWidth + 1) + types * 6 + names + leaps * (timeWidth + 4) + standards + universals
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        func has(_ count: Int) -> Bool { count >= 0 && count <= bytes.count - index }

        mutating func skip(_ count: Int) -> Bool {
            guard has(count) else { return false }
            index += count
            return true
        }

        mutating func byte() -> UInt8 {
            index += 1
            return bytes[index - 1]
        }

        mutating func signed(_ width: Int) -> Int64 {
            var value: UInt64 = 0
            for _ in 0..<width { value = value << 8 | UInt64(byte()) }
            return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
        }

        mutating func take(_ count: Int) -> [UInt8] {
            index += count
            return Array(bytes[(index - count)..<index])
        }

        func rest() -> ArraySlice<UInt8> { bytes[index...] }

        mutating func header() -> Counts? {
            guard has(44), take(4) == Array("TZif".utf8) else { return nil }
            let version = byte()
            index += 15
            let numbers = (0..<6).map { _ in Int(signed(4)) }
            guard numbers.allSatisfy({ (0..<sizeMax).contains($0) }) else { return nil }
            return Counts(
                version: version >= 0x32 ? 2 : 1, universals: numbers[0], standards: numbers[1], leaps: numbers[2],
                times: numbers[3], types: numbers[4], names: numbers[5])
        }
    }
}
