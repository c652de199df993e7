/// Byte offsets into lines and columns.
struct LineIndex {
    private let source: [UInt8]
    private let starts: [Int]

    init(_ text: String) {
        let bytes = Array(text.utf8)
        source = bytes
        starts = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    }

    func position(of offset: Int) -> Position {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return Position(line: low + 1, column: offset - starts[low])
    }

    func text(from start: Int, to end: Int) -> String {
        String(decoding: source[min(start, source.count)..<min(max(start, end), source.count)], as: UTF8.self)
    }
}
