import Streams

/// What a binary operator makes of two cells, one of which may be a histogram.
struct CellCombination {
    /// The result; of a comparison the left cell, whether it holds or not. Nil: the cells don't go together.
    var cell: Double?
    var holds = true
    /// What there is to tell.
    var note: Annotation?
}

extension HistogramPool {
    mutating func combine(
        _ op: BinaryOperator, _ left: Double, _ right: Double, at place: Place
    ) -> CellCombination {
        if isFull { return CellCombination(cell: nil) }
        switch (left.isHistogram, right.isHistogram) {
        case (false, false):
            if op.isTrim { return Self.incompatible(op, "float", "float", place) }
            if op.isComparison { return CellCombination(cell: left, holds: op.holds(left, right)) }
            return CellCombination(cell: op.arithmetic(left, right))
        case (false, true):
            guard op == .multiply else { return Self.incompatible(op, "float", "histogram", place) }
            return CellCombination(cell: cell(of: self[right].multiplied(by: left).compacted()))
        case (true, false):
            guard let result = self[left].combined(op, right) else {
                return Self.incompatible(op, "histogram", "float", place)
            }
            return CellCombination(cell: cell(of: result))
        case (true, true): return combineHistograms(op, left, right, place)
        }
    }

    private mutating func combineHistograms(
        _ op: BinaryOperator, _ left: Double, _ right: Double, _ place: Place
    ) -> CellCombination {
        switch op {
        case .equal, .notEqual:
            let areEqual = self[left].hasSameData(as: self[right])
            return CellCombination(cell: left, holds: areEqual == (op == .equal))
        case .add, .subtract: return added(op, self[left], self[right], place)
        default: return Self.incompatible(op, "histogram", "histogram", place)
        }
    }

    private mutating func added(
        _ op: BinaryOperator, _ left: NativeHistogram, _ right: NativeHistogram, _ place: Place
    ) -> CellCombination {
        let operation = op == .add ? HistogramOperation.addition : .subtraction
        do throws(IncompatibleBuckets) {
            var (sum, conflicts) = try left.adding(right, times: op == .add ? 1 : -1)
            if conflicts.contains(.counterResets) {
                return CellCombination(cell: nil, note: .counterResetCollision(during: operation, at: place))
            }
            if op == .subtract { sum.counterResetHint = .gauge }
            let note =
                conflicts.contains(.customBounds) ? Annotation.reconciledBounds(during: operation, at: place) : nil
            return CellCombination(cell: cell(of: sum.compacted()), note: note)
        } catch {
            return CellCombination(cell: nil, note: .incompatibleBuckets(op, at: place))
        }
    }

    private static func incompatible(
        _ op: BinaryOperator, _ left: String, _ right: String, _ place: Place
    ) -> CellCombination {
        CellCombination(cell: nil, note: .incompatibleTypes(op, left, right, at: place))
    }
}

extension NativeHistogram {
    /// With a float on the right; nil where that means nothing.
    fileprivate func combined(_ op: BinaryOperator, _ value: Double) -> NativeHistogram? {
        switch op {
        case .multiply: multiplied(by: value).compacted()
        case .divide: divided(by: value).compacted()
        case .trimUpper: trimmed(at: value, keepsBelow: true)
        case .trimLower: trimmed(at: value, keepsBelow: false)
        default: nil
        }
    }
}
