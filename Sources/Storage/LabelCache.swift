import Streams

/// The label sets of series that were selected, made once and kept while somebody goes on selecting them.
struct LabelCache: ~Copyable {
    private static let pageBits = 9
    /// By place; a page is there when one of its series was selected.
    private var pages: [[LabelSet?]] = []
    /// The texts of label values, by entry: series share them.
    private var texts: [UInt32: String] = [:]
    private(set) var count = 0

    /// An estimate: what a label set of ten labels and its share of texts take.
    var byteCount: Int { count * 400 + texts.count * 64 }

    mutating func labels(
        _ place: Int, _ record: UnsafeMutablePointer<SeriesRecord>, _ table: borrowing LabelTable
    ) -> LabelSet {
        record.pointee.flags.insert(.selected)
        let page = place >> Self.pageBits
        let offset = place & (1 << Self.pageBits - 1)
        while pages.count <= page { pages.append([]) }
        if pages[page].isEmpty { pages[page] = Array(repeating: nil, count: 1 << Self.pageBits) }
        if let labels = pages[page][offset] { return labels }
        var list: [Label] = []
        list.reserveCapacity(Int(record.pointee.labelCount))
        for entry in record.pointee.labelEntries {
            list.append(Label(table.names[Int(table.entries[Int(entry)].name)].text, text(entry, table)))
        }
        let labels = LabelSet(sorted: list)
        pages[page][offset] = labels
        count += 1
        return labels
    }

    mutating func text(_ entry: UInt32, _ table: borrowing LabelTable) -> String {
        if let text = texts[entry] { return text }
        let text = table.valueText(entry)
        texts[entry] = text
        return text
    }

    mutating func forget(_ place: Int) {
        let page = place >> Self.pageBits
        let offset = place & (1 << Self.pageBits - 1)
        guard page < pages.count, !pages[page].isEmpty, pages[page][offset] != nil else { return }
        pages[page][offset] = nil
        count -= 1
    }

    /// Entries may stand for other labels from now on, or are not asked for any more.
    mutating func forgetTexts() { texts = [:] }
}
