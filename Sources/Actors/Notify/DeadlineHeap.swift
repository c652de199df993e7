import Streams

/// A binary heap of deadlines, the earliest on top. What is no longer true is not taken out: whoever takes the top asks
/// whether it still holds.
struct DeadlineHeap<ID: Sendable>: Sendable {
    private var items: [(time: Timestamp, id: ID)] = []

    var first: (time: Timestamp, id: ID)? { items.first }
    var count: Int { items.count }

    mutating func insert(_ time: Timestamp, _ id: ID) {
        items.append((time, id))
        var index = items.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard items[index].time < items[parent].time else { return }
            items.swapAt(index, parent)
            index = parent
        }
    }

    mutating func removeFirst() {
        guard items.count > 1 else {
            items.removeAll(keepingCapacity: true)
            return
        }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var index = 0
        while true {
            let left = 2 * index + 1
            guard left < items.count else { return }
            let right = left + 1
            let least = right < items.count && items[right].time < items[left].time ? right : left
            guard items[least].time < items[index].time else { return }
            items.swapAt(index, least)
            index = least
        }
    }
}
