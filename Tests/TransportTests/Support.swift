import Transport

/// A started client that is gone when the body returns.
func withClient(
    _ settings: HTTPClient.Settings = HTTPClient.Settings(), _ body: (HTTPClient) async throws -> Void
) async throws {
    let client = HTTPClient(settings)
    try client.start()
    do {
        try await body(client)
        await client.shutdown()
    } catch {
        await client.shutdown()
        throw error
    }
}
