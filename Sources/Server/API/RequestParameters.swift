import HTTPTypes
import Hummingbird
import NIOCore
import Streams

/// The parameters of a request to the Prometheus API: those of the URL, and of a form in the body of a POST.
struct RequestParameters: Sendable {
    private var values: [(name: String, value: String)] = []

    private static let formBytesMax = 10 << 20

    init(_ request: Request, in budget: BodyBudget) async throws {
        values = Self.pairs(request.uri.query ?? "")
        guard request.method == .post else { return }
        let reader = RequestBodyReader(bytesMax: Self.formBytesMax)
        let form = try await reader.withWhole(of: request, in: budget) { body in
            let type = request.headers[.contentType]?.lowercased() ?? ""
            return type.hasPrefix("application/x-www-form-urlencoded") ? Self.pairs(String(buffer: body)) : []
        }
        values = form + values
    }

    /// The first value of a parameter; nil when it is absent or empty.
    subscript(name: String) -> String? {
        values.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    private static func pairs(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(parts[0]), parts.count > 1 ? decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        var result: [UInt8] = []
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if let value = UInt8(String(decoding: bytes.prefix(2), as: UTF8.self), radix: 16), bytes.count >= 2 {
                    result.append(value)
                    bytes = bytes.dropFirst(2)
                } else {
                    result.append(byte)
                }
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: times

    /// Seconds since the epoch, or RFC 3339.
    func time(_ name: String) throws(APIFailure) -> Timestamp? {
        guard let text = self[name] else { return nil }
        if let seconds = Double(text), seconds.isFinite, abs(seconds) < 9e12 {
            return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        }
        if let time = Timestamp(rfc3339: text) { return time }
        throw .badData(parameter: name, "cannot parse \(quoted(text)) to a valid timestamp")
    }

    /// Seconds, or a duration such as `15s`.
    func duration(_ name: String) throws(APIFailure) -> Duration? {
        guard let text = self[name] else { return nil }
        if let seconds = Double(text), seconds.isFinite, abs(seconds) < 9e12 {
            return .milliseconds(Int64((seconds * 1000).rounded()))
        }
        do throws(Duration.TextError) {
            return try Duration.parse(prometheus: text)
        } catch {
            throw .badData(parameter: name, "cannot parse \(quoted(text)) to a valid duration")
        }
    }
}

/// An error as the Prometheus API tells it.
struct APIFailure: Error, Sendable {
    var status: HTTPResponse.Status
    var type: String
    var message: String

    static func badData(_ message: String) -> APIFailure {
        APIFailure(status: .badRequest, type: "bad_data", message: message)
    }

    static func badData(parameter: String, _ message: String) -> APIFailure {
        badData("invalid parameter \(quoted(parameter)): \(message)")
    }

    var response: Response {
        let document: JSONValue = ["status": "error", "errorType": .string(type), "error": .string(message)]
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: document.bytes)))
    }
}
