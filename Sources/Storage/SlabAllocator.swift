import Glibc

/// Blocks for the parts of series that grow and go: tails, chunks, label lists, short posting lists.
///
/// Blocks come in size classes; each 64 KiB slab holds blocks of one class and goes back to a common pool when its last
/// block is freed. That is what makes it fit here: series grow in lockstep, so one class empties while the next fills,
/// and `malloc` would keep the holes. The caller remembers a block's size. Larger blocks are `malloc`'s.
struct SlabAllocator: ~Copyable {
    private struct Slab {
        var next: UnsafeMutablePointer<Slab>?
        var previous: UnsafeMutablePointer<Slab>?
        var freed: UnsafeMutableRawPointer?
        /// Blocks that are in use, and how many were ever handed out of fresh memory.
        var live: UInt32
        var opened: UInt32
        var capacity: UInt32
        var sizeClass: UInt32
    }

    static let slabBytes = 1 << 16
    private static let headerBytes = 64
    private static let regionBytes = 1 << 20
    /// Empty slabs that keep their pages; the pages of those beyond go back to the system.
    private static let warmMax = 32
    private static let sizes: [UInt16] = [
        16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 288, 320, 352, 384, 448, 512, 576, 640, 768, 896, 1024,
        1152, 1280, 1440, 1664, 1920, 2240, 2560,
    ]
    static let blockBytesMax = 2560

    private let classOf: UnsafeMutablePointer<UInt8>
    private let sizeOf: UnsafeMutablePointer<UInt16>
    private let open: UnsafeMutablePointer<UnsafeMutablePointer<Slab>?>
    private var regions: [UnsafeMutableRawPointer] = []
    private var large: Set<UnsafeMutableRawPointer> = []
    private var warm: [UnsafeMutableRawPointer] = []
    private var cold: [UnsafeMutableRawPointer] = []

    /// Bytes of blocks that are in use, as rounded up to their classes.
    private(set) var liveBytes = 0
    /// Bytes that the process holds for blocks, used or not.
    private(set) var heldBytes = 0

    init() {
        classOf = .allocate(capacity: Self.blockBytesMax / 16 + 1)
        sizeOf = .allocate(capacity: Self.sizes.count)
        open = .allocate(capacity: Self.sizes.count)
        open.initialize(repeating: nil, count: Self.sizes.count)
        var sizeClass = 0
        for (index, size) in Self.sizes.enumerated() { sizeOf[index] = size }
        for units in 0...(Self.blockBytesMax / 16) {
            while Int(Self.sizes[sizeClass]) < units * 16 { sizeClass += 1 }
            classOf[units] = UInt8(sizeClass)
        }
    }

    deinit {
        for block in large { block.deallocate() }
        for region in regions { munmap(region, Self.regionBytes) }
        classOf.deallocate()
        sizeOf.deallocate()
        open.deallocate()
    }

    /// What a block asked for with that size really holds.
    func roundedUp(_ byteCount: Int) -> Int {
        byteCount > Self.blockBytesMax ? byteCount : Int(sizeOf[Int(classOf[(byteCount + 15) / 16])])
    }

    /// Memory that is not cleared, aligned to 16 bytes.
    mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        guard byteCount <= Self.blockBytesMax else {
            liveBytes += byteCount
            heldBytes += byteCount
            let block = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
            large.insert(block)
            return block
        }
        let sizeClass = Int(classOf[(byteCount + 15) / 16])
        let size = Int(sizeOf[sizeClass])
        liveBytes += size
        let slab = open[sizeClass] ?? openSlab(sizeClass, size)
        slab.pointee.live += 1
        let block: UnsafeMutableRawPointer
        if let freed = slab.pointee.freed {
            block = freed
            slab.pointee.freed = freed.load(as: UnsafeMutableRawPointer?.self)
        } else {
            block = UnsafeMutableRawPointer(slab) + Self.headerBytes + Int(slab.pointee.opened) * size
            slab.pointee.opened += 1
        }
        if slab.pointee.live == slab.pointee.capacity { unlink(slab) }
        return block
    }

    /// - Parameter byteCount: what was asked for.
    mutating func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        guard byteCount <= Self.blockBytesMax else {
            liveBytes -= byteCount
            heldBytes -= byteCount
            large.remove(block)
            block.deallocate()
            return
        }
        let start = UInt(bitPattern: block) & ~UInt(Self.slabBytes - 1)
        guard let slab = UnsafeMutablePointer<Slab>(bitPattern: start) else {
            preconditionFailure("a block lies in a slab")
        }
        liveBytes -= Int(sizeOf[Int(slab.pointee.sizeClass)])
        if slab.pointee.live == slab.pointee.capacity { link(slab) }
        slab.pointee.live -= 1
        block.storeBytes(of: slab.pointee.freed, as: UnsafeMutableRawPointer?.self)
        slab.pointee.freed = block
        if slab.pointee.live == 0 {
            unlink(slab)
            keep(UnsafeMutableRawPointer(slab))
        }
    }

    // MARK: Slabs

    private mutating func openSlab(_ sizeClass: Int, _ size: Int) -> UnsafeMutablePointer<Slab> {
        let slab = takeSlab().bindMemory(to: Slab.self, capacity: 1)
        slab.initialize(
            to: Slab(
                next: nil, previous: nil, freed: nil, live: 0, opened: 0,
                capacity: UInt32((Self.slabBytes - Self.headerBytes) / size), sizeClass: UInt32(sizeClass)))
        link(slab)
        return slab
    }

    private mutating func takeSlab() -> UnsafeMutableRawPointer {
        if let slab = warm.popLast() { return slab }
        if cold.isEmpty { mapRegion() }
        heldBytes += Self.slabBytes
        return cold.removeLast()
    }

    private mutating func keep(_ slab: UnsafeMutableRawPointer) {
        if warm.count < Self.warmMax {
            warm.append(slab)
        } else {
            madvise(slab, Self.slabBytes, MADV_DONTNEED)
            heldBytes -= Self.slabBytes
            cold.append(slab)
        }
    }

    private mutating func mapRegion() {
        let wanted = Self.regionBytes + Self.slabBytes
        guard let mapped = mmap(nil, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            mapped != MAP_FAILED
        else { fatalError("out of memory: mmap of \(wanted) bytes failed with errno \(errno)") }
        let misaligned = Int(UInt(bitPattern: mapped) & UInt(Self.slabBytes - 1))
        let head = misaligned == 0 ? 0 : Self.slabBytes - misaligned
        let region = mapped + head
        if head > 0 { munmap(mapped, head) }
        if Self.slabBytes > head { munmap(region + Self.regionBytes, Self.slabBytes - head) }
        regions.append(region)
        for offset in stride(from: Self.regionBytes - Self.slabBytes, through: 0, by: -Self.slabBytes) {
            cold.append(region + offset)
        }
    }

    private func link(_ slab: UnsafeMutablePointer<Slab>) {
        let sizeClass = Int(slab.pointee.sizeClass)
        slab.pointee.previous = nil
        slab.pointee.next = open[sizeClass]
        open[sizeClass]?.pointee.previous = slab
        open[sizeClass] = slab
    }

    private func unlink(_ slab: UnsafeMutablePointer<Slab>) {
        let next = slab.pointee.next
        if let previous = slab.pointee.previous {
            previous.pointee.next = next
        } else {
            open[Int(slab.pointee.sizeClass)] = next
        }
        next?.pointee.previous = slab.pointee.previous
        slab.pointee.next = nil
        slab.pointee.previous = nil
    }
}
