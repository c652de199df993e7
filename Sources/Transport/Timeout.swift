import Streams

/// Runs `body` and cancels it when it takes longer: then throws `.timeout`. `body` must end at once when it is cancelled.
package func withTimeout<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws(TransportError) -> Value
) async throws(TransportError) -> Value {
    let result: Result<Value, TransportError> = await withTaskGroup(of: Result<Value, TransportError>?.self) { group in
        group.addTask {
            do throws(TransportError) { return .success(try await body()) } catch { return .failure(error) }
        }
        group.addTask {
            // It ends early only when there is nothing left to time.
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next()
        group.cancelAll()
        if case .some(.some(let result)) = first { return result }
        return .failure(Task.isCancelled ? .cancelled : .timeout(after: limit))
    }
    return try result.get()
}
