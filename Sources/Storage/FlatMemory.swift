import Glibc

/// A growing run of plain values outside of Swift's heap: no reference counting, no copy on write.
struct FlatBuffer<Element: BitwiseCopyable>: ~Copyable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private(set) var capacity: Int

    init(capacity: Int = 16) {
        self.capacity = max(1, capacity)
        base = Self.resized(nil, self.capacity)
    }

    deinit { Glibc.free(base) }

    /// Memory held, in bytes.
    var byteCount: Int { capacity * MemoryLayout<Element>.stride }

    /// Not checked: the caller knows the bounds.
    @inline(__always) subscript(index: Int) -> Element {
        get { base[index] }
        nonmutating set { base[index] = newValue }
    }

    @inline(__always) mutating func append(_ element: Element) {
        if count == capacity { reserve(count + 1) }
        base[count] = element
        count += 1
    }

    mutating func append(_ elements: UnsafeBufferPointer<Element>) {
        guard let source = elements.baseAddress else { return }
        if count + elements.count > capacity { reserve(count + elements.count) }
        (base + count).update(from: source, count: elements.count)
        count += elements.count
    }

    /// Grows by half at least.
    mutating func reserve(_ wanted: Int) {
        guard wanted > capacity else { return }
        capacity = max(wanted, capacity + capacity / 2 + 8)
        base = Self.resized(base, capacity)
    }

    mutating func removeAll() { count = 0 }

    /// The caller knows that there is one.
    mutating func removeLast() -> Element {
        count -= 1
        return base[count]
    }

    /// Makes `count` elements of the given value.
    mutating func fill(_ count: Int, with element: Element) {
        reserve(count)
        base.update(repeating: element, count: count)
        self.count = count
    }

    /// Makes room for `count` elements that the caller writes next.
    mutating func fillWithoutValues(_ count: Int) {
        reserve(count)
        self.count = count
    }

    private static func resized(_ old: UnsafeMutablePointer<Element>?, _ capacity: Int) -> UnsafeMutablePointer<Element>
    {
        let bytes = capacity * MemoryLayout<Element>.stride
        guard let new = realloc(old, bytes) else { fatalError("out of memory: \(bytes) bytes were asked for") }
        return new.bindMemory(to: Element.self, capacity: capacity)
    }
}

/// A column that grows by pages and never moves what it holds.
struct PagedColumn<Element: BitwiseCopyable>: ~Copyable {
    private var pages: FlatBuffer<UnsafeMutablePointer<Element>?>
    private let pageBits: Int
    private var held = 0

    init(pageBits: Int) {
        self.pageBits = pageBits
        pages = FlatBuffer()
    }

    deinit {
        for index in 0..<pages.count { pages[index]?.deallocate() }
    }

    /// Places that have memory, were all pages present.
    var capacity: Int { pages.count << pageBits }
    var pageCount: Int { pages.count }
    var byteCount: Int { held * (MemoryLayout<Element>.stride << pageBits) + pages.byteCount }

    /// The element's place, or nil where there is no page. Bounds are checked.
    @inline(__always) func place(_ index: Int) -> UnsafeMutablePointer<Element>? {
        let page = index >> pageBits
        guard page < pages.count, let base = pages[page] else { return nil }
        return base + (index & (1 << pageBits - 1))
    }

    /// The element's place; the caller knows that its page is there.
    @inline(__always) subscript(index: Int) -> UnsafeMutablePointer<Element> {
        pages[index >> pageBits].unsafelyUnwrapped + (index & (1 << pageBits - 1))
    }

    /// Makes the page of `index`, filled with `element`, if there is none.
    mutating func ensure(_ index: Int, filledWith element: Element) {
        let page = index >> pageBits
        while pages.count <= page { pages.append(nil) }
        guard pages[page] == nil else { return }
        let base = UnsafeMutablePointer<Element>.allocate(capacity: 1 << pageBits)
        base.initialize(repeating: element, count: 1 << pageBits)
        pages[page] = base
        held += 1
    }

    mutating func removePage(_ page: Int) {
        guard let base = pages[page] else { return }
        base.deallocate()
        pages[page] = nil
        held -= 1
    }
}
