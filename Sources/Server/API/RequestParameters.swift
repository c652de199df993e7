import HTTPTypes
import Hummingbird
import NIOCore
import PromQL
import Streams

/// The parameters of a request to the Prometheus API: those of a form in the body of a POST, then those of the URL, as
/// Go's `net/http` reads them.
struct RequestParameters: Sendable {
    private var values: [(name: String, value: String)] = []
    /// How many of them came in the body.
    private var formCount = 0
    /// The first pair that is not well-formed; such pairs are left out.
    private(set) var malformed: String?

    private static let formBytesMax = 10 << 20

    init(_ request: Request, in budget: BodyBudget) async throws {
        if request.method == .post || request.method == .put {
            let reader = RequestBodyReader(bytesMax: Self.formBytesMax)
            let type = request.headers[.contentType]?.lowercased() ?? ""
            let form = try await reader.withWhole(of: request, in: budget) { body in
                type.hasPrefix("application/x-www-form-urlencoded") ? String(buffer: body) : ""
            }
            addPairs(form)
            formCount = values.count
        }
        addPairs(request.uri.query ?? "")
    }

    /// The parameters of a URL's query.
    init(query: String) { addPairs(query) }

    /// The first value of a parameter; nil when it is absent or empty.
    subscript(name: String) -> String? {
        values.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// The first value in the URL, the body left aside.
    func inURL(_ name: String) -> String? {
        values[formCount...].first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    func all(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    /// - Throws: when a pair was not well-formed, for endpoints that look at that.
    func requireWellFormed() throws(APIFailure) {
        if let malformed { throw .badData("error parsing form values: \(malformed)") }
    }

    private mutating func addPairs(_ text: String) {
        for pair in text.split(separator: "&") {
            if pair.contains(";") {
                malformed = malformed ?? "invalid semicolon separator in query"
                continue
            }
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            do throws(MalformedEscape) {
                let value = parts.count > 1 ? try Self.decoded(parts[1]) : ""
                values.append((try Self.decoded(parts[0]), value))
            } catch {
                malformed = malformed ?? error.description
            }
        }
    }

    struct MalformedEscape: Error, CustomStringConvertible {
        var text: String
        var description: String { "invalid URL escape \(quoted(text))" }
    }

    /// Undoes percent-encoding.
    /// - Parameter isForm: `+` is a blank.
    static func decoded(_ text: Substring, isForm: Bool = true) throws(MalformedEscape) -> String {
        var result: [UInt8] = []
        var bytes = text.utf8[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "+") where isForm: result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = bytes.prefix(2)
                guard digits.count == 2, digits.allSatisfy({ $0.isHexadecimal }),
                    let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
                else { throw MalformedEscape(text: "%" + String(decoding: digits, as: UTF8.self)) }
                result.append(value)
                bytes = bytes.dropFirst(2)
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

// MARK: - Values

extension RequestParameters {
    /// The times that clients take for the beginning and the end of all time; their years have too many digits for RFC 3339.
    private static let ends: [String: Timestamp] = [
        "-292273086-05-16T16:47:06Z": .distantPast, "292277025-08-18T07:12:54.999999999Z": .distantFuture,
    ]

    /// Seconds since the epoch, or RFC 3339. Nil: neither.
    private static func time(_ text: String) -> Timestamp? {
        if let seconds = GoNumber.parse(text), seconds.isFinite {
            // The part after the point is rounded by itself.
            let whole = seconds.rounded(.towardZero)
            let milliseconds = whole * 1000 + ((seconds - whole) * 1000).rounded()
            return Timestamp(
                milliseconds: Int64(
                    min(
                        max(milliseconds, Double(Timestamp.distantPast.milliseconds)),
                        Double(Timestamp.distantFuture.milliseconds))))
        }
        // Prometheus knows no small letters there, and no leap seconds.
        if text.utf8.contains(where: { $0 == UInt8(ascii: "t") || $0 == UInt8(ascii: "z") }) { return nil }
        if text.dropFirst("1970-01-01T00:00:".count).hasPrefix("60") { return nil }
        return Timestamp(rfc3339: text) ?? ends[text]
    }

    /// A time that has to be there.
    func requiredTime(_ name: String) throws(APIFailure) -> Timestamp {
        let text = self[name] ?? ""
        guard let time = Self.time(text) else {
            throw .badData(parameter: name, "cannot parse \(quoted(text)) to a valid timestamp")
        }
        return time
    }

    func time(_ name: String) throws(APIFailure) -> Timestamp? {
        guard let text = self[name] else { return nil }
        guard let time = Self.time(text) else {
            throw .badData(
                parameter: name, "invalid time value for '\(name)': cannot parse \(quoted(text)) to a valid timestamp")
        }
        return time
    }

    /// Seconds, or a duration such as `15s`. Its message says nothing of the parameter.
    struct BadDuration: Error {
        var message: String
    }

    private static func duration(_ text: String) throws(BadDuration) -> Duration {
        if let seconds = GoNumber.parse(text), !seconds.isNaN {
            guard seconds.magnitude < 0x1p63 / 1e9 else {
                throw BadDuration(
                    message: "cannot parse \(quoted(text)) to a valid duration. It overflows int64")
            }
            return .nanoseconds(Int64(seconds * 1e9))
        }
        do throws(Duration.TextError) {
            return try Duration.parse(prometheus: text)
        } catch {
            throw BadDuration(message: "cannot parse \(quoted(text)) to a valid duration")
        }
    }

    func requiredDuration(_ name: String) throws(APIFailure) -> Duration {
        do throws(BadDuration) {
            return try Self.duration(self[name] ?? "")
        } catch {
            throw .badData(parameter: name, error.message)
        }
    }

    func duration(_ name: String) throws(APIFailure) -> Duration? {
        self[name] == nil ? nil : try requiredDuration(name)
    }

    /// `lookback_delta`; nil where it is not above zero, which stands for the default.
    func lookback() throws(APIFailure) -> Duration? {
        guard let text = self["lookback_delta"] else { return nil }
        do throws(BadDuration) {
            let lookback = try Self.duration(text)
            return lookback > .zero ? lookback : nil
        } catch {
            throw .badData("error parsing lookback delta duration: \(error.message)")
        }
    }

    /// How many elements the answer may have; nil: any number.
    func limit(_ name: String = "limit") throws(APIFailure) -> Int? {
        guard let text = self[name] else { return nil }
        do throws(GoInteger.Malformed) {
            let limit = try GoInteger.parse(text)
            if limit < 0 { throw GoInteger.Malformed(description: "limit must be non-negative") }
            return limit == 0 ? nil : limit
        } catch {
            throw .badData(parameter: name, error.description)
        }
    }

    /// Whether it is set to a yes; nil: not set.
    static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": true
        case "0", "f", "F", "FALSE", "false", "False": false
        default: nil
        }
    }

    /// `start` and `end`; all of time unless they are set.
    func times() throws(APIFailure) -> (start: Timestamp, end: Timestamp) {
        (try time("start") ?? .distantPast, try time("end") ?? .distantFuture)
    }

    /// The selectors of `match[]`. Each has to ask for something.
    func selectors(_ name: String = "match[]") throws(APIFailure) -> [[Matcher]] {
        var selectors: [[Matcher]] = []
        for text in all(name) {
            do throws(ParseError) {
                selectors.append(try PromQLParser.parseSelector(text))
            } catch {
                throw .badData("\(error)")
            }
        }
        if selectors.contains(where: { $0.allSatisfy { $0.accepts("") } }) {
            throw .badData("match[] must contain at least one non-empty matcher")
        }
        return selectors
    }
}

/// Numbers as Go's `strconv.ParseFloat` reads them.
enum GoNumber {
    /// Nil: no number, or one beyond what a double holds.
    static func parse(_ text: String) -> Double? {
        var text = text
        let bytes = Array(text.utf8)
        if bytes.contains(UInt8(ascii: "_")) {
            func isDigit(_ place: Int) -> Bool { bytes.indices.contains(place) && (0x30...0x39).contains(bytes[place]) }
            for place in bytes.indices where bytes[place] == UInt8(ascii: "_") {
                guard isDigit(place - 1), isDigit(place + 1) else { return nil }
            }
            text = text.filter { $0 != "_" }
        }
        let lowercase = text.lowercased()
        if lowercase.contains("x"), !lowercase.contains("p") { return nil }
        guard let value = Double(text) else { return nil }
        return value.isInfinite && !lowercase.contains("inf") ? nil : value
    }
}

/// Whole numbers with the words of Go's `strconv`, which clients see.
enum GoInteger {
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    /// - Parameter function: which of Go's functions the message names.
    static func parse(_ text: String, function: String = "Atoi") throws(Malformed) -> Int {
        if let number = Int(text) { return number }
        let digits =
            text.utf8.first == UInt8(ascii: "-") || text.utf8.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
        let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        throw Malformed(
            description: "strconv.\(function): parsing \(quoted(text)): "
                + (isNumber ? "value out of range" : "invalid syntax"))
    }
}
