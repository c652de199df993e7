import Glibc
import Synchronization

/// The bytes of an answer in one piece, followed by 64 zero bytes, so that a parser may read in place and past the end.
/// The memory goes back to its pool when the last reference is gone.
///
/// `@unchecked`: written by the engine's thread before it is handed out, by nobody afterwards.
package final class ResponseBody: @unchecked Sendable {
    package static let slack = 64

    package private(set) var count = 0
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private let pool: BodyPool?

    init(pool: BodyPool) {
        self.pool = pool
        if let block = pool.take() { (memory, capacity) = (block.memory, block.capacity) }
    }

    /// A body of these bytes, for tests and for in-memory servers.
    package init(_ bytes: [UInt8]) {
        pool = nil
        bytes.withUnsafeBytes { append($0) }
        seal()
    }

    deinit {
        guard let memory else { return }
        if let pool { pool.give(BodyPool.Block(memory: memory, capacity: capacity)) } else { free(memory) }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(count + bytes.count)
        guard let memory, let source = bytes.baseAddress else { return }
        (memory + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    func reserve(_ wanted: Int) {
        guard wanted + Self.slack > capacity else { return }
        capacity = max(wanted + Self.slack, capacity * 2, 4096)
        guard let larger = realloc(memory, capacity) else { preconditionFailure("out of memory") }
        memory = larger
    }

    func removeAll() { count = 0 }

    /// Zeroes what follows the end.
    func seal() {
        reserve(count)
        memory?.advanced(by: count).initializeMemory(as: UInt8.self, repeating: 0, count: Self.slack)
    }

    /// The body's bytes. 64 zero bytes can be read behind them.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    package var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
    /// The body as text, what is not UTF-8 replaced; for errors and small answers, so cut to `max` bytes.
    package func text(max: Int = 4096) -> String {
        withUnsafeBytes { String(decoding: $0.prefix(max), as: UTF8.self) }
    }
}

/// Blocks of memory that bodies have given back, a bounded number of bytes of them.
final class BodyPool: Sendable {
    /// `@unchecked`: whoever holds the block owns its memory.
    struct Block: @unchecked Sendable {
        let memory: UnsafeMutableRawPointer
        let capacity: Int
    }

    private struct State {
        var blocks: [Block] = []
        var bytes = 0
    }

    private let bytesMax: Int
    private let state = Mutex(State())

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    deinit { state.withLock { for block in $0.blocks { free(block.memory) } } }

    func take() -> Block? {
        state.withLock { state in
            guard let block = state.blocks.popLast() else { return nil }
            state.bytes -= block.capacity
            return block
        }
    }

    func give(_ block: Block) {
        let kept = state.withLock { state in
            guard state.bytes + block.capacity <= bytesMax else { return false }
            state.blocks.append(block)
            state.bytes += block.capacity
            return true
        }
        if !kept { free(block.memory) }
    }
}
