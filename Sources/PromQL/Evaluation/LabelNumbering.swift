import Streams

/// Numbers label sets by what a clause (`by`, `without`, `on`, `ignoring`) looks at: sets that are alike in it get the same
/// number, from 0 on. A set whose number is known costs a hash of some of its values, and no allocation.
struct LabelNumbering {
    private let names: [String]
    private let isWithout: Bool
    /// What the sets of each number have in common: the labels that the clause keeps.
    private(set) var keys: [LabelSet] = []
    /// The newest number with a hash, and the one before it with the same.
    private var newest: [Int: Int] = [:]
    private var previous: [Int] = []
    /// What the last set got: neighbours are often alike.
    private var last = 0

    /// - Parameter names: a short list.
    init(_ names: [String], isWithout: Bool) {
        self.names = names
        self.isWithout = isWithout
    }

    mutating func number(of labels: LabelSet) -> Int {
        let elements = labels.elements
        if !keys.isEmpty, isKey(keys[last].elements, of: elements) { return last }
        last = find(elements)
        return last
    }

    private mutating func find(_ elements: [Label]) -> Int {
        let hash = hash(of: elements)
        var candidate = newest[hash] ?? -1
        while candidate >= 0 {
            if isKey(keys[candidate].elements, of: elements) { return candidate }
            candidate = previous[candidate]
        }
        previous.append(newest[hash] ?? -1)
        newest[hash] = keys.count
        keys.append(LabelSet(sorted: elements.filter { keeps($0.name) }))
        return keys.count - 1
    }

    mutating func numbers(of all: [LabelSet], _ patience: Patience) throws(EvaluationError) -> [Int] {
        var numbers: [Int] = []
        numbers.reserveCapacity(all.count)
        for (index, labels) in all.enumerated() {
            try patience.check(at: index)
            numbers.append(number(of: labels))
        }
        return numbers
    }

    /// Of the values only: the same in other labels is rare.
    private func hash(of elements: [Label]) -> Int {
        var hasher = Hasher()
        for place in elements.indices where keeps(elements[place].name) { hasher.combine(elements[place].value) }
        return hasher.finalize()
    }

    private func isKey(_ key: [Label], of elements: [Label]) -> Bool {
        var next = 0
        for place in elements.indices where keeps(elements[place].name) {
            guard next < key.count, key[next] == elements[place] else { return false }
            next += 1
        }
        return next == key.count
    }

    @inline(__always)
    private func keeps(_ name: String) -> Bool {
        for place in names.indices where names[place] == name { return !isWithout }
        return isWithout && name != LabelSet.metricName
    }
}
