import Streams

/// What both ways to Microsoft Teams share.
enum TeamsMessage {
    /// Of a whole message, in bytes (learn.microsoft.com/microsoftteams/limits-specifications-teams, "Incoming webhooks").
    private static let bytesMax = 28 << 10

    /// The message with as much of its text as fits; what is escaped in JSON takes more room than it has characters.
    static func bounded(_ text: String, _ message: (String) -> JSONValue) -> JSONValue {
        let text = text.truncated(toBytes: bytesMax)
        let whole = message(text)
        guard whole.bytes.count > bytesMax else { return whole }
        var (fits, exceeds) = (0, text.utf8.count)
        while exceeds - fits > 1 {
            let middle = (fits + exceeds) / 2
            if message(text.truncated(toBytes: middle)).bytes.count <= bytesMax {
                fits = middle
            } else {
                exceeds = middle
            }
        }
        return message(text.truncated(toBytes: fits))
    }
}
