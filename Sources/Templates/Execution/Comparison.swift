/// `eq`, `lt` and their kin: values of the same basic kind compare, all others don't.
enum Comparison {
    private enum Kind {
        case boolean, complex, integer, double, string
    }

    private static func kind(_ value: Value) -> Kind? {
        switch value {
        case .bool: .boolean
        case .complex: .complex
        case .int, .named, .duration: .integer
        case .double: .double
        case .string, .trusted: .string
        default: nil
        }
    }

    /// Whether the first equals one of the others.
    static func isEqualToOne(_ values: [Value]) throws -> Bool {
        guard values.count > 1 else { throw CallFailure("missing argument for comparison") }
        for other in values.dropFirst() where try isEqual(values[0], other) { return true }
        return false
    }

    static func isEqual(_ left: Value, _ right: Value) throws -> Bool {
        let kinds = (kind(left), kind(right))
        if let leftKind = kinds.0, let rightKind = kinds.1 {
            guard leftKind == rightKind else { throw incompatible(left, right) }
            switch (left, right) {
            case (.bool(let left), .bool(let right)): return left == right
            case (.double(let left), .double(let right)): return left == right
            case (.complex(let left, let i), .complex(let right, let j)): return left == right && i == j
            default: break
            }
            return leftKind == .integer ? integer(left) == integer(right) : isSameBytes(left.text, right.text)
        }
        if left.isNil || right.isNil { return left.isNil && right.isNil }
        if case .time(let left) = left, case .time(let right) = right {
            return Moment.isSameInstant(left, right) && left.zone.name == right.zone.name
        }
        guard left.typeName == right.typeName else { throw incompatible(left, right) }
        if case .record(let left) = left, case .record(let right) = right {
            return try zip(left.values, right.values).allSatisfy { try isEqual($0, $1) }
        }
        throw CallFailure("non-comparable type \(left.typeName)")
    }

    static func isLess(_ left: Value, _ right: Value) throws -> Bool {
        guard let leftKind = kind(left), let rightKind = kind(right) else {
            throw CallFailure("invalid type for comparison")
        }
        guard leftKind == rightKind else { throw incompatible(left, right) }
        switch (left, right) {
        case (.bool, _), (.complex, _): throw CallFailure("invalid type for comparison")
        case (.double(let left), .double(let right)): return left < right
        default:
            return leftKind == .integer ? integer(left) < integer(right) : isOrderedByBytes(left.text, right.text)
        }
    }

    private static func integer(_ value: Value) -> Int64 {
        switch value {
        case .int(let number), .named(let number, _, _): Int64(number)
        case .duration(let number): number
        default: 0
        }
    }

    private static func incompatible(_ left: Value, _ right: Value) -> CallFailure {
        CallFailure("incompatible types for comparison: \(left.typeName) and \(right.typeName)")
    }
}
