import Testing

@testable import Storage

@Suite struct SlabAllocatorTests {
    private struct Block {
        let memory: UnsafeMutableRawPointer
        let size: Int
        let mark: UInt8
    }

    @Test("No two blocks overlap, and all memory comes back", arguments: 0..<4)
    func overlaps(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var allocator = SlabAllocator()
        var blocks: [Block] = []
        for step in 0..<20_000 {
            if !blocks.isEmpty, Int.random(in: 0..<100, using: &generator) < (step % 8000 < 4000 ? 40 : 60) {
                let block = blocks.remove(at: Int.random(in: 0..<blocks.count, using: &generator))
                check(block)
                allocator.free(block.memory, block.size)
            } else {
                let size = Int.random(in: 1...(Bool.random(using: &generator) ? 200 : 4000), using: &generator)
                let memory = allocator.allocate(size)
                #expect(UInt(bitPattern: memory) % 16 == 0)
                let mark = UInt8.random(in: 0...255, using: &generator)
                memory.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                blocks.append(Block(memory: memory, size: size, mark: mark))
            }
        }
        #expect(allocator.liveBytes >= blocks.reduce(0) { $0 + $1.size })
        for block in blocks {
            check(block)
            allocator.free(block.memory, block.size)
        }
        #expect(allocator.liveBytes == 0)
    }

    private func check(_ block: Block) {
        let bytes = UnsafeRawBufferPointer(start: block.memory, count: block.size)
        if !bytes.allSatisfy({ $0 == block.mark }) { Issue.record("a block was written over") }
    }

    @Test func `memory of one size serves another once it is free`() {
        var allocator = SlabAllocator()
        for size in [48, 96, 192, 288] {
            let blocks = (0..<50_000).map { _ in allocator.allocate(size) }
            #expect(allocator.heldBytes < 50_000 * size * 11 / 10 + (4 << 20))
            for block in blocks { allocator.free(block, size) }
        }
        #expect(allocator.heldBytes <= 4 << 20)
    }
}
