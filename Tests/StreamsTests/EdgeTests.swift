import Streams
import Testing

@Suite struct EdgeTests {
    private func edge(_ elements: Int, bytes: Int = .max) -> Edge<Int> {
        Edge(EdgeName(pipeline: "p", from: "a", to: "b"), capacity: .init(elements: elements, bytes: bytes))
    }

    @Test func `elements arrive in their order, and the counters add up`() async throws {
        let edge = edge(10)
        for number in 1...3 { try await edge.send(number, bytes: 5) }
        #expect(edge.counts.queued == 3 && edge.counts.queuedBytes == 15)
        #expect(await edge.receive() == 1)
        #expect(await edge.receiveAll() == [2, 3])
        let counts = edge.counts
        #expect(counts.received == 3 && counts.delivered == 3 && counts.refused == 0)
        #expect(counts.queued == 0 && counts.queuedBytes == 0 && counts.blockedNanoseconds == 0)
    }

    @Test func `a full edge refuses who does not wait`() throws {
        let edge = edge(2)
        try edge.trySend(1)
        try edge.trySend(2)
        #expect(throws: Edge<Int>.SendError.full) { try edge.trySend(3) }
        #expect(edge.counts.refused == 1 && edge.counts.received == 2 && edge.counts.queued == 2)
    }

    @Test func `bytes fill an edge as well; one element always fits`() throws {
        let edge = edge(10, bytes: 100)
        try edge.trySend(1, bytes: 1000)
        #expect(throws: Edge<Int>.SendError.full) { try edge.trySend(2, bytes: 1) }
    }

    @Test func `who sends to a full edge waits for room`() async throws {
        let edge = edge(1)
        try await edge.send(1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await edge.send(2) }
            for _ in 0..<100 { await Task.yield() }
            #expect(edge.counts.received == 1)
            #expect(await edge.receive() == 1)
            #expect(await edge.receive() == 2)
            try await group.waitForAll()
        }
        #expect(edge.counts.delivered == 2)
    }

    @Test func `many senders and one receiver lose nothing, and no sender's elements change places`() async throws {
        let edge = edge(3)
        let (senders, each) = (8, 200)
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<senders {
                group.addTask {
                    for number in 0..<each {
                        do throws(Edge<Int>.SendError) {
                            try await edge.send(sender * 1000 + number, bytes: 1)
                        } catch {
                            Issue.record("not sent: \(error)")
                        }
                    }
                }
            }
            var last = [Int](repeating: -1, count: senders)
            var count = 0
            while count < senders * each, let elements = await edge.receiveAll(max: 2) {
                #expect(elements.count <= 2)
                for element in elements {
                    #expect(element % 1000 == last[element / 1000] + 1)
                    last[element / 1000] = element % 1000
                }
                count += elements.count
                #expect(edge.counts.queued <= 3)
            }
            #expect(last == [Int](repeating: each - 1, count: senders))
        }
        let counts = edge.counts
        #expect(counts.received == 1600 && counts.delivered == 1600 && counts.queued == 0 && counts.queuedBytes == 0)
    }

    @Test func `closing lets the receiver empty it, and tells who waits to send`() async throws {
        let edge = edge(1)
        try await edge.send(1)
        let outcome = await withTaskGroup(of: Edge<Int>.SendError?.self) { group in
            group.addTask {
                do throws(Edge<Int>.SendError) {
                    try await edge.send(2)
                    return nil
                } catch {
                    return error
                }
            }
            for _ in 0..<100 { await Task.yield() }
            edge.close()
            return await group.next() ?? nil
        }
        #expect(outcome == .closed)
        #expect(edge.isClosed)
        #expect(throws: Edge<Int>.SendError.closed) { try edge.trySend(3) }
        #expect(await edge.receive() == 1)
        #expect(await edge.receive() == nil)
        #expect(edge.counts.received == 1 && edge.counts.delivered == 1)
    }

    @Test func `closing wakes a receiver that waits`() async {
        let edge = edge(1)
        await withTaskGroup(of: Int?.self) { group in
            group.addTask { await edge.receive() }
            for _ in 0..<100 { await Task.yield() }
            edge.close()
            #expect(await group.next() == .some(nil))
        }
    }

    @Test func `who is cancelled while waiting to send sent nothing, and the next in line moves up`() async throws {
        let edge = edge(1)
        try await edge.send(1)
        let cancelled = Task { () -> Edge<Int>.SendError? in
            do throws(Edge<Int>.SendError) {
                try await edge.send(2)
                return nil
            } catch {
                return error
            }
        }
        for _ in 0..<100 { await Task.yield() }
        async let third: Void = edge.send(3)
        for _ in 0..<100 { await Task.yield() }
        cancelled.cancel()
        #expect(await cancelled.value == .cancelled)
        #expect(await edge.receive() == 1)
        #expect(await edge.receive() == 3)
        try await third
        #expect(edge.counts.received == 2 && edge.counts.delivered == 2)
    }

    @Test func `a receiver that is cancelled gets nothing and takes nothing`() async throws {
        let edge = edge(1)
        let receiver = Task { await edge.receive() }
        for _ in 0..<100 { await Task.yield() }
        receiver.cancel()
        #expect(await receiver.value == nil)
        try await edge.send(1)
        #expect(await edge.receive() == 1)
    }
}
