import Actors
import ArgumentParser
import Streams
import Transport

/// Talks to a server's part of Alertmanager's API, for as long as a command takes.
struct AlertmanagerClient: Sendable {
    private let server: ServerOptions
    private let client: HTTPClient

    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Of the answer; nil: there was none.
        var status: Int?
    }

    static func run(
        _ server: ServerOptions, _ body: (AlertmanagerClient) async throws -> Void
    ) async throws {
        let client = HTTPClient()
        try client.start()
        do { try await body(AlertmanagerClient(server: server, client: client)) } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    /// - Parameters:
    ///   - path: below `/api/v2/`.
    ///   - query: names and values; those without a value are left out.
    /// - Returns: null where the answer is empty.
    func send(
        _ method: HTTPRequest.Method, _ path: String, query: [(String, String?)] = [], _ body: JSONValue? = nil
    ) async throws -> JSONValue {
        let pairs = query.compactMap { name, value in value.map { "\(name)=\(URLString.encoded($0))" } }
        let response: HTTPResponse
        do {
            let url = try server.url("/api/v2/" + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")))
            var request = HTTPRequest(
                method, url, body: body?.bytes ?? [], timeout: .seconds(30), bodyBytesMax: 1 << 30)
            if body != nil { request.headers.append(HTTPField("Content-Type", "application/json")) }
            response = try await client.send(request)
        } catch {
            throw Failure(description: "\(error)")
        }
        let document = try? JSONValue(parsing: response.body.bytes)  // An empty or another answer has no words in it.
        guard (200..<300).contains(response.status) else {
            let words = document?.string ?? document?["message"]?.string
            throw Failure(
                description: words.map(Terminal.plain) ?? response.words, status: response.status)
        }
        return document ?? .null
    }
}

/// What several commands make of their arguments.
enum AlertmanagerArguments {
    /// Matchers as amtool takes them: a first word that is none is the alert's name.
    static func matchers(_ words: [String]) throws -> [Matcher] {
        var matchers: [Matcher] = []
        for word in words { matchers.append(try matcher(word, isFirst: matchers.isEmpty)) }
        return matchers
    }

    private static func matcher(_ word: String, isFirst: Bool) throws -> Matcher {
        do throws(MatcherError) {
            return try MatcherSyntax.fallback.parseOne(word)
        } catch {
            if isFirst, !word.isEmpty { return Matcher("alertname", equals: word) }
            throw ValidationError("\(quoted(word)) is no matcher: \(error)")
        }
    }

    /// Names and values. A first word without `=` is the alert's name.
    static func labels(_ words: [String], isAlert: Bool) throws -> JSONValue {
        var members: [JSONValue.Member] = []
        for (place, word) in words.enumerated() {
            if let equals = word.firstIndex(of: "="), equals > word.startIndex {
                members.append(.init(String(word[..<equals]), .string(String(word[equals...].dropFirst()))))
            } else if isAlert, place == 0, !word.isEmpty, !word.contains("=") {
                members.append(.init("alertname", .string(word)))
            } else {
                throw ValidationError("\(quoted(word)) is not name=value")
            }
        }
        return .object(members)
    }

    static func time(_ text: String, _ option: String) throws -> Timestamp {
        guard let time = Timestamp(rfc3339: text) else {
            throw ValidationError("--\(option): \(quoted(text)) is no time such as 2026-01-02T15:04:05Z")
        }
        return time
    }

    static func duration(_ text: String, _ option: String) throws -> Duration {
        do throws(Duration.TextError) {
            return try Duration.parse(prometheus: text)
        } catch {
            throw ValidationError("--\(option): \(error)")
        }
    }
}

/// Rows of a table for people, the columns as wide as their widest cell.
struct TextTable {
    private var rows: [[String]]

    init(_ header: String...) { rows = [header] }

    mutating func add(_ cells: String...) { rows.append(cells.map(Terminal.plain)) }

    var lines: [String] {
        let widths = rows.reduce(into: [Int](repeating: 0, count: rows[0].count)) { widths, row in
            for (place, cell) in row.enumerated() { widths[place] = max(widths[place], cell.count) }
        }
        return rows.map { row in
            var line = ""
            for (place, cell) in row.enumerated() {
                line += cell
                if place + 1 < row.count { line += String(repeating: " ", count: widths[place] - cell.count + 2) }
            }
            return line
        }
    }
}
