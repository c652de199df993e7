import Streams

/// What a vector expression evaluates to: a row for each series, a column for each step.
///
/// Values of one series lie side by side (`cells[row * steps + step]`); where a series has none stands `Absent.value`.
/// A row has at least one value.
struct SeriesTable: Sendable {
    private(set) var labels: [LabelSet] = []
    /// Rows whose metric name is to be dropped at the end (only with delayed name removal).
    private(set) var dropsName: [Bool] = []
    let steps: Int
    private(set) var cells: [Double] = []

    init(steps: Int) { self.steps = steps }

    /// A table of one series.
    init(_ labels: LabelSet, _ column: [Double]) {
        steps = column.count
        self.labels = [labels]
        dropsName = [false]
        cells = column
    }

    var count: Int { labels.count }
    var isEmpty: Bool { labels.isEmpty }

    mutating func reserveCapacity(_ rows: Int) {
        labels.reserveCapacity(rows)
        dropsName.reserveCapacity(rows)
        cells.reserveCapacity(rows * steps)
    }

    @inline(__always)
    subscript(row: Int, step: Int) -> Double {
        get { cells[row &* steps &+ step] }
        set { cells[row &* steps &+ step] = newValue }
    }

    /// The values of a row.
    func row(_ row: Int) -> ArraySlice<Double> { cells[row * steps..<(row + 1) * steps] }

    func presentCount(_ row: Int) -> Int { self.row(row).count(where: \.isPresent) }

    var presentCount: Int { cells.count(where: \.isPresent) }

    /// Adds a row of absent values.
    mutating func appendRow(_ labels: LabelSet, dropsName: Bool = false) {
        self.labels.append(labels)
        self.dropsName.append(dropsName)
        cells.append(contentsOf: repeatElement(Absent.value, count: steps))
    }

    mutating func appendRow(_ labels: LabelSet, dropsName: Bool, _ values: some Collection<Double>) {
        self.labels.append(labels)
        self.dropsName.append(dropsName)
        cells.append(contentsOf: values)
    }

    /// Adds the rows of a table of as many steps.
    mutating func append(_ other: SeriesTable) {
        if isEmpty {
            self = other
            return
        }
        labels += other.labels
        dropsName += other.dropsName
        cells += other.cells
    }

    /// Takes the last row away.
    mutating func removeLastRow() {
        labels.removeLast()
        dropsName.removeLast()
        cells.removeLast(steps)
    }

    /// Takes the last row away when it has no value.
    mutating func dropLastRowIfEmpty() {
        var index = cells.count - steps
        while index < cells.count {
            if cells[index].isPresent { return }
            index += 1
        }
        removeLastRow()
    }

    mutating func relabel(_ row: Int, _ labels: LabelSet, dropsName: Bool) {
        self.labels[row] = labels
        self.dropsName[row] = dropsName
    }

    /// Without the metrics' names in any row.
    consuming func withoutNames() -> SeriesTable {
        var table = self
        for row in 0..<table.count { table.labels[row] = table.labels[row].droppingName() }
        return table
    }

    mutating func markNameDropped(_ row: Int) { dropsName[row] = true }

    /// Replaces each present value; the closure may answer `Absent.value`, and rows that end up empty go away.
    @inline(__always)
    mutating func transform(_ change: (_ row: Int, _ step: Int, _ value: Double) -> Double) {
        var kept = 0
        for row in 0..<count {
            var isKept = false
            let base = row * steps
            for step in 0..<steps {
                let value = cells[base + step]
                if value.isAbsent { continue }
                let result = change(row, step, value)
                cells[base + step] = result
                if result.isPresent { isKept = true }
            }
            if isKept {
                move(row, to: kept)
                kept += 1
            }
        }
        truncate(to: kept)
    }

    /// `transform` for changes that take their time: it ends when nobody waits for the result any more.
    @inline(__always)
    mutating func transform(
        _ patience: Patience, _ change: (_ row: Int, _ step: Int, _ value: Double) -> Double
    ) throws(EvaluationError) {
        var kept = 0
        var cellsSinceCheck = 0
        for row in 0..<count {
            var isKept = false
            let base = row * steps
            var start = 0
            while start < steps {
                let end = min(start + Patience.cells, steps)
                for step in start..<end {
                    let value = cells[base + step]
                    if value.isAbsent { continue }
                    let result = change(row, step, value)
                    cells[base + step] = result
                    if result.isPresent { isKept = true }
                }
                cellsSinceCheck += end - start
                if cellsSinceCheck >= Patience.cells {
                    cellsSinceCheck = 0
                    try patience.check()
                }
                start = end
            }
            if isKept {
                move(row, to: kept)
                kept += 1
            }
        }
        truncate(to: kept)
    }

    /// Keeps the rows in the order given.
    func reordered(_ order: [Int]) -> SeriesTable {
        var result = SeriesTable(steps: steps)
        result.reserveCapacity(order.count)
        for row in order { result.appendRow(labels[row], dropsName: dropsName[row], self.row(row)) }
        return result
    }

    /// The same values at every step of a longer grid; the table has one step.
    func repeated(steps: Int) -> SeriesTable {
        var result = SeriesTable(steps: steps)
        result.labels = labels
        result.dropsName = dropsName
        result.cells.reserveCapacity(count * steps)
        for value in cells { result.cells.append(contentsOf: repeatElement(value, count: steps)) }
        return result
    }

    private mutating func move(_ row: Int, to target: Int) {
        if row == target { return }
        labels[target] = labels[row]
        dropsName[target] = dropsName[row]
        for step in 0..<steps { cells[target * steps + step] = cells[row * steps + step] }
    }

    private mutating func truncate(to rows: Int) {
        if rows == count { return }
        labels.removeLast(count - rows)
        dropsName.removeLast(dropsName.count - rows)
        cells.removeLast(cells.count - rows * steps)
    }

    /// Joins rows of the same labels whose values don't meet at any step.
    ///
    /// Nil when they meet: "vector cannot contain metrics with the same labelset".
    func mergingEqualLabels(_ patience: Patience) throws(EvaluationError) -> SeriesTable? {
        guard try hasEqualLabels(patience) else { return self }
        var places: [LabelSet: Int] = [:]
        var result = SeriesTable(steps: steps)
        for row in 0..<count {
            try patience.check(at: row)
            guard let place = places[labels[row]] else {
                places[labels[row]] = result.count
                result.appendRow(labels[row], dropsName: dropsName[row], self.row(row))
                continue
            }
            for step in 0..<steps where self[row, step].isPresent {
                if result[place, step].isPresent { return nil }
                result[place, step] = self[row, step]
            }
        }
        return result
    }

    /// Whether all rows have the same name, so that without it they stay as different as they are.
    var canLoseNames: Bool {
        guard let first = labels.first else { return true }
        let name = first.name
        for row in labels.indices where !labels[row].isOnlyNamed(name) { return false }
        return true
    }

    func hasEqualLabels(_ patience: Patience) throws(EvaluationError) -> Bool {
        if count < 2 { return false }
        if count == 2 { return labels[0] == labels[1] }
        var seen = Set<LabelSet>(minimumCapacity: count)
        for (row, labels) in labels.enumerated() {
            try patience.check(at: row)
            if !seen.insert(labels).inserted { return true }
        }
        return false
    }
}

/// A table whose rows may still bear the metric's name, though it is no part of them any more. Where they do, all have the
/// same one, so that they stay as different without it.
struct UnnamedTable: Sendable {
    var table: SeriesTable
    var hasNames: Bool

    /// The table as it is meant.
    consuming func settled() -> SeriesTable { hasNames ? table.withoutNames() : table }
}
