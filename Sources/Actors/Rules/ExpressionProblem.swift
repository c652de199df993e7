internal import PromQL
internal import Streams
internal import YAML

/// The words for an expression that does not parse, with the nearest function where a name is unknown.
enum ExpressionProblem {
    static func text(_ error: ParseError, in expression: String) -> String {
        guard error.category == .unknownFunction, let name = word(in: expression, at: error.place.start) else {
            return "bad expression: \(error.message)"
        }
        let known = FunctionSignature.all.map(\.name) + AggregationOperator.allCases.map(\.rawValue)
        let nearest = Spelling.nearest(to: name, in: known).map { "; did you mean \(quoted($0))?" } ?? ""
        return "unknown function \(quoted(name))\(nearest)"
    }

    private static func word(in text: String, at offset: Int) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.indices.contains(offset) else { return nil }
        let word = bytes[offset...].prefix { byte in
            (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
        }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }
}
