import Streams

/// The newest exemplars of all series together, in the order in which they came: a new one takes the place of the oldest
/// once there are `capacity`. Takes memory for what is there.
struct ExemplarRing: Sendable {
    private struct Slot: Sendable {
        var exemplar: Exemplar
        /// A place in `series`.
        var series: Int
        /// The slot of the next exemplar of the same series; -1 where there is none.
        var next: Int
    }

    private struct Series: Sendable {
        var labels: LabelSet
        /// How it was named last, if by an id.
        var id: SeriesID?
        var oldest: Int
        var newest: Int
    }

    /// Why an exemplar was not taken.
    enum Refusal: Error, Equatable {
        /// It is the newest one of its series already: nothing is lost.
        case repeated
        /// It is older than the newest one of its series.
        case outOfOrder
        /// Its labels have more than 128 characters together.
        case tooLong
        /// The labels of all series that have exemplars would take too much memory.
        case noRoom
    }

    private(set) var capacity: Int
    private let seriesBytesMax: Int
    private var seriesBytes = 0
    private var slots: [Slot] = []
    /// The slot of the oldest exemplar, once all are in use.
    private var first = 0
    private var series: [Series?] = []
    private var freePlaces: [Int] = []
    private var places: [LabelSet: Int] = [:]
    private var ids: [SeriesID: Int] = [:]

    /// - Parameter seriesBytesMax: bounds the text of the labels of all series together; exemplars' own are short.
    init(capacity: Int, seriesBytesMax: Int = 128 << 20) {
        self.capacity = max(0, capacity)
        self.seriesBytesMax = seriesBytesMax
    }

    var count: Int { slots.count }
    var seriesCount: Int { places.count }

    /// OpenMetrics's bound on an exemplar's label names and values together, in characters (code points).
    static let labelLengthMax = 128

    // MARK: adding

    /// The labels of a series that has exemplars here under that id.
    func labels(of id: SeriesID) -> LabelSet? { ids[id].flatMap { series[$0]?.labels } }

    /// Adds an exemplar behind those of its series.
    mutating func add(_ exemplar: Exemplar, to labels: LabelSet, id: SeriesID? = nil) throws(Refusal) {
        guard capacity > 0 else { return }
        guard Self.isShort(exemplar.labels) else { throw .tooLong }
        if let place = places[labels], let newest = series[place]?.newest {
            try Self.check(exemplar, after: slots[newest].exemplar)
        } else if seriesBytes + Self.textBytes(labels) > seriesBytesMax {
            throw .noRoom
        }
        append(exemplar, labels, id)
    }

    private static func textBytes(_ labels: LabelSet) -> Int {
        labels.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    private static func isShort(_ labels: LabelSet) -> Bool {
        var length = 0
        for label in labels {
            // Bytes bound characters from above, and are there without counting.
            let bytes = label.name.utf8.count + label.value.utf8.count
            length +=
                bytes + length <= labelLengthMax
                ? bytes : label.name.unicodeScalars.count + label.value.unicodeScalars.count
            if length > labelLengthMax { return false }
        }
        return true
    }

    /// Those of one time are told apart by value, then by labels, so that a set that comes again adds nothing.
    private static func check(_ exemplar: Exemplar, after newest: Exemplar) throws(Refusal) {
        if exemplar.repeats(newest) { throw .repeated }
        if exemplar.timestamp > newest.timestamp { return }
        if exemplar.timestamp < newest.timestamp || exemplar.value < newest.value { throw .outOfOrder }
        if exemplar.value == newest.value, exemplar.labels.fingerprint < newest.labels.fingerprint {
            throw .outOfOrder
        }
    }

    private mutating func append(_ exemplar: Exemplar, _ labels: LabelSet, _ id: SeriesID?) {
        let slot = slots.count < capacity ? slots.count : first
        if slot < slots.count {
            removeOldest()
            first = (first + 1) % capacity
        }
        let place = places[labels] ?? addSeries(labels, at: slot)
        if let id { name(place, id) }
        if let newest = series[place]?.newest, newest != slot { slots[newest].next = slot }
        series[place]?.newest = slot
        let new = Slot(exemplar: exemplar, series: place, next: -1)
        if slot < slots.count { slots[slot] = new } else { slots.append(new) }
    }

    private mutating func addSeries(_ labels: LabelSet, at slot: Int) -> Int {
        seriesBytes += Self.textBytes(labels)
        let new = Series(labels: labels, id: nil, oldest: slot, newest: slot)
        let place: Int
        if let free = freePlaces.popLast() {
            place = free
            series[place] = new
        } else {
            place = series.count
            series.append(new)
        }
        places[labels] = place
        return place
    }

    private mutating func name(_ place: Int, _ id: SeriesID) {
        guard let known = series[place], known.id != id else { return }
        if let old = known.id { ids[old] = nil }
        series[place]?.id = id
        ids[id] = place
    }

    /// The oldest exemplar of all is the oldest one of its series too.
    private mutating func removeOldest() {
        let old = slots[first]
        guard let owner = series[old.series] else { return }
        if old.next >= 0 {
            series[old.series]?.oldest = old.next
            return
        }
        places[owner.labels] = nil
        seriesBytes -= Self.textBytes(owner.labels)
        if let id = owner.id { ids[id] = nil }
        series[old.series] = nil
        freePlaces.append(old.series)
    }

    /// Changes how many there may be; of too many the newest stay.
    mutating func resize(to capacity: Int) {
        guard max(0, capacity) != self.capacity else { return }
        let ordered = slots[first...] + slots[..<first]
        var resized = ExemplarRing(capacity: capacity, seriesBytesMax: seriesBytesMax)
        for slot in ordered.suffix(resized.capacity) {
            guard let owner = series[slot.series] else { continue }
            resized.append(slot.exemplar, owner.labels, owner.id)
        }
        self = resized
    }

    // MARK: reading

    /// The exemplars in a time, the ends included, of the series that one of the selectors accepts, in order of the series.
    func select(
        _ selectors: [[Matcher]], from start: Int64, through end: Int64
    ) -> [(labels: LabelSet, exemplars: [Exemplar])] {
        var result: [(labels: LabelSet, exemplars: [Exemplar])] = []
        for case let owner? in series {
            guard slots[owner.oldest].exemplar.timestamp <= end, slots[owner.newest].exemplar.timestamp >= start,
                selectors.contains(where: { $0.accept(owner.labels) })
            else { continue }
            var exemplars: [Exemplar] = []
            var slot = owner.oldest
            while slot >= 0, slots[slot].exemplar.timestamp <= end {
                if slots[slot].exemplar.timestamp >= start { exemplars.append(slots[slot].exemplar) }
                slot = slots[slot].next
            }
            if !exemplars.isEmpty { result.append((owner.labels, exemplars)) }
        }
        return result.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
    }
}
