import Streams
import Synchronization
import Testing

@Suite struct AsyncTurnTests {
    private final class Count: Sendable {
        private let value = Mutex(0)
        func add(_ amount: Int) -> Int {
            value.withLock {
                $0 += amount
                return $0
            }
        }
    }

    private final class Order: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    @Test func `one task at a time has the turn, also where it waits in between`() async {
        let turn = AsyncTurn()
        let inside = Count()
        let total = Count()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await turn.begin()
                    #expect(inside.add(1) == 1)
                    for _ in 0..<10 { await Task.yield() }
                    #expect(inside.add(-1) == 0)
                    _ = total.add(1)
                    turn.end()
                }
            }
        }
        #expect(total.add(0) == 50)
    }

    @Test func `everyone who waits is served, after the one who has the turn`() async {
        let turn = AsyncTurn()
        await turn.begin()
        let order = Order()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    await turn.begin()
                    order.numbers.withLock { $0.append(number) }
                    turn.end()
                }
            }
            for _ in 0..<200 { await Task.yield() }
            #expect(order.numbers.withLock { $0 } == [])
            turn.end()
        }
        #expect(order.numbers.withLock { $0.sorted() } == [0, 1, 2, 3, 4])
    }

    @Test func `a turn that ended is free`() async {
        let turn = AsyncTurn()
        await turn.begin()
        turn.end()
        await turn.begin()
        turn.end()
    }
}
