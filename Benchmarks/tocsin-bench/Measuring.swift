import Glibc

/// CPU time of the whole process, all threads, in nanoseconds: on a shared machine it says more than the wall clock.
func cpuNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Resident memory now, in bytes.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}

/// The best of some runs.
struct Best {
    private(set) var cpu = UInt64.max
    private(set) var wall = UInt64.max

    @discardableResult
    mutating func measure<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let cpuStart = cpuNanoseconds()
        let result = try await body()
        let elapsed = start.duration(to: clock.now).components
        cpu = min(cpu, cpuNanoseconds() - cpuStart)
        wall = min(wall, UInt64(elapsed.seconds) * 1_000_000_000 + UInt64(elapsed.attoseconds / 1_000_000_000))
        return result
    }

    /// `12.3 ns CPU, 10.1 ns wall per sample`
    func per(_ unit: String, _ count: Int) -> String {
        "\(rounded(Double(cpu) / Double(count))) ns CPU, \(rounded(Double(wall) / Double(count))) ns wall per \(unit)"
    }
}

func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

/// Keeps the optimiser from dropping what is computed only to be measured.
@inline(never) @_optimize(none) func blackHole<Value>(_ value: Value) {}

/// A generator whose sequence its seed decides (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
