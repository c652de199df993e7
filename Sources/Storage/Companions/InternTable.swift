/// Values that many refer to by small numbers, each kept once and for as long as somebody refers to it.
struct InternTable<Value: Hashable & Sendable>: Sendable {
    private struct Slot: Sendable {
        var value: Value
        /// 0: the slot is free.
        var uses: Int
    }

    private var slots: [Slot] = []
    private var numbers: [Value: UInt32] = [:]
    private var free: [UInt32] = []

    var count: Int { numbers.count }

    subscript(number: UInt32) -> Value { slots[Int(number)].value }

    func find(_ value: Value) -> UInt32? { numbers[value] }

    /// All values, in no order.
    var values: some Sequence<Value> { numbers.keys }

    /// One more refers to the value.
    mutating func take(_ value: Value) -> UInt32 {
        if let number = numbers[value] {
            slots[Int(number)].uses += 1
            return number
        }
        let number: UInt32
        if let reused = free.popLast() {
            number = reused
            slots[Int(number)] = Slot(value: value, uses: 1)
        } else {
            number = UInt32(slots.count)
            slots.append(Slot(value: value, uses: 1))
        }
        numbers[value] = number
        return number
    }

    /// One less does.
    /// - Returns: the value when that was the last one.
    mutating func release(_ number: UInt32) -> Value? {
        slots[Int(number)].uses -= 1
        guard slots[Int(number)].uses == 0 else { return nil }
        let value = slots[Int(number)].value
        numbers[value] = nil
        free.append(number)
        return value
    }
}
