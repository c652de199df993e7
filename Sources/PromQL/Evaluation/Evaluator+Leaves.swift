import Streams

extension Evaluator {
    /// Reads a leaf's samples and makes its table.
    /// - Parameter blank: the evaluation before it read anything.
    func make(
        _ leaf: Leaf, _ blank: Evaluation, _ evaluation: inout Evaluation
    ) async throws(EvaluationError) {
        guard let times = blank.times(of: leaf) else {
            try evaluation.adopt([], of: leaf)
            return
        }
        let request = blank.request(of: leaf.number, times)
        let selection = try await orFailing { () throws(ReadError) in try await reader.selection(request) }
        switch selection {
        case .whole(let block):
            var part = LeafPart(leaf, blank)
            try part.add(block)
            if part.holdsMore {
                try evaluation.adopt(block, of: leaf)
            } else {
                try evaluation.adopt([part], of: leaf)
            }
        case .parts(let cursors):
            let parts = try await walk(cursors, leaf, blank)
            if parts.contains(where: \.holdsMore) {
                let block = try await orFailing { () throws(ReadError) in try await reader.select(request) }
                try evaluation.adopt(block, of: leaf)
            } else {
                try evaluation.adopt(parts, of: leaf)
            }
        }
    }

    /// The parts in the order of their cursors, walked side by side.
    private func walk(
        _ cursors: [any SeriesCursor], _ leaf: Leaf, _ blank: Evaluation
    ) async throws(EvaluationError) -> [LeafPart] {
        var parts = [LeafPart?](repeating: nil, count: cursors.count)
        var failure: EvaluationError?
        await withTaskGroup(of: Walk.self) { group in
            for (place, cursor) in cursors.enumerated() {
                group.addTask { await walk(cursor, leaf, blank, at: place) }
            }
            for await walk in group {
                parts[walk.place] = walk.part
                guard let reason = walk.failure else { continue }
                // What was cancelled because of a failure is not the failure.
                if failure == nil { failure = reason }
                group.cancelAll()
            }
        }
        if let failure { throw failure }
        return parts.compactMap { $0 }
    }

    /// What came of one cursor.
    private struct Walk: Sendable {
        var place: Int
        var part: LeafPart?
        var failure: EvaluationError?
    }

    @concurrent
    private func walk(
        _ cursor: any SeriesCursor, _ leaf: Leaf, _ blank: Evaluation, at place: Int
    ) async -> Walk {
        do throws(EvaluationError) {
            return Walk(place: place, part: try await part(of: cursor, leaf, blank))
        } catch {
            return Walk(place: place, failure: error)
        }
    }

    private func part(
        of cursor: any SeriesCursor, _ leaf: Leaf, _ blank: Evaluation
    ) async throws(EvaluationError) -> LeafPart {
        var cursor = cursor
        var part = LeafPart(leaf, blank)
        var block = SeriesBlock()
        while !part.holdsMore {
            if Task.isCancelled { throw .canceled }
            let spare = block
            block = SeriesBlock()
            guard let next = try await orFailing({ () throws(ReadError) in try await cursor.next(reusing: spare) })
            else { break }
            try part.add(next)
            block = next
        }
        return part
    }
}
