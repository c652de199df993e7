import Streams

extension Evaluation {
    mutating func labelReplaced(_ plan: LabelReplacePlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var table = try vector(plan.inner, grid)
        let references = plan.replacement.utf8.count { $0 == UInt8(ascii: "$") }
        for row in 0..<table.count {
            try checkpoint()
            let source = table.labels[row][plan.source] ?? ""
            guard let groups = plan.expression.wholeMatch(source) else { continue }
            try reserve(textBytes: plan.replacement.utf8.count + references * source.utf8.count)
            let value = plan.expression.expand(plan.replacement, match: groups, of: source)
            relabel(&table, row, plan.target, value)
        }
        return try merged(table)
    }

    mutating func labelJoined(_ plan: LabelJoinPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var table = try vector(plan.inner, grid)
        for row in 0..<table.count {
            try checkpoint()
            let labels = table.labels[row]
            let parts = plan.sources.map { labels[$0] ?? "" }
            try reserve(textBytes: parts.reduce(0) { $0 + $1.utf8.count + plan.separator.utf8.count })
            let value = parts.joined(separator: plan.separator)
            relabel(&table, row, plan.target, value)
        }
        return try merged(table)
    }

    private func relabel(_ table: inout SeriesTable, _ row: Int, _ name: String, _ value: String) {
        var labels = table.labels[row]
        labels[name] = value
        // A name that was just given stays.
        let dropsName = table.dropsName[row] && name != LabelSet.metricName
        table.relabel(row, labels, dropsName: dropsName)
    }

    /// `sort` and its kin: order matters for an instant only.
    mutating func sorted(_ plan: SortPlan, _ grid: StepGrid) throws(EvaluationError) -> SeriesTable {
        var table = try vector(plan.inner, grid)
        if case .value = plan.order { table = floats(table) }
        if query.start != query.end || grid.count != 1 {
            annotations.add(.sortInRangeQuery(at: plan.place))
            return table
        }
        let rows = Array(0..<table.count)
        switch plan.order {
        case .value(let descending):
            return table.reordered(
                try patience.sorted(rows) { left, right in
                    let (one, other) = (table[left, 0], table[right, 0])
                    // NaN goes last either way.
                    if one.isNaN || other.isNaN {
                        return one.isNaN == other.isNaN ? left < right : other.isNaN
                    }
                    return one == other ? left < right : descending ? one > other : one < other
                })
        case .labels(let names, let descending):
            return table.reordered(
                try patience.sorted(rows) { left, right in
                    let (one, other) = (table.labels[left], table.labels[right])
                    for name in names {
                        let (mine, theirs) = (one[name] ?? "", other[name] ?? "")
                        if !mine.hasSameBytes(as: theirs) { return NaturalOrder.isBefore(mine, theirs) != descending }
                    }
                    return descending ? other.precedes(one) : one.precedes(other)
                })
        }
    }
}

/// The order in which people sort: runs of digits by their value, the rest by characters.
enum NaturalOrder {
    static func isBefore(_ left: String, _ right: String) -> Bool {
        let (one, other) = (Array(left.utf8), Array(right.utf8))
        var (i, j) = (0, 0)
        while i < one.count, j < other.count {
            let isNumber = isDigit(one[i])
            if isNumber != isDigit(other[j]) { return one[i] < other[j] }
            let mine = run(one, &i, isNumber)
            let theirs = run(other, &j, isNumber)
            if mine.elementsEqual(theirs) { continue }
            if isNumber {
                let (a, b) = (mine.drop { $0 == zero }, theirs.drop { $0 == zero })
                if a.count != b.count { return a.count < b.count }
                if !a.elementsEqual(b) { return a.lexicographicallyPrecedes(b) }
                // Equal numbers: fewer leading zeros first.
                return mine.count < theirs.count
            }
            return mine.lexicographicallyPrecedes(theirs)
        }
        return one.count - i < other.count - j
    }

    private static let zero = UInt8(ascii: "0")

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= zero && byte <= UInt8(ascii: "9") }

    private static func run(_ bytes: [UInt8], _ place: inout Int, _ isNumber: Bool) -> ArraySlice<UInt8> {
        let start = place
        while place < bytes.count, isDigit(bytes[place]) == isNumber { place += 1 }
        return bytes[start..<place]
    }
}
