/// `json.Marshal`: keys in order, and `<`, `>`, `&` written so that the text can stand in HTML.
enum GoJSON {
    static func text(_ value: Value, limit: Int) throws -> String {
        var writer = Formatter(limit: limit)
        try write(value, to: &writer)
        return writer.text
    }

    private static func write(_ value: Value, to writer: inout Formatter) throws {
        switch value {
        case .absent, .null: try writer.write("null")
        case .bool(let flag): try writer.write(flag ? "true" : "false")
        case .int(let number), .named(let number, _, _): try writer.write(String(number))
        case .duration(let number): try writer.write(String(number))
        case .double(let number): try writer.write(try double(number))
        case .complex: throw CallFailure("json: unsupported type: complex128")
        case .string(let text), .trusted(_, let text): try writer.write(quoted(text))
        case .time(let time): try writer.write(quoted(Layout.format(time, "2006-01-02T15:04:05.999999999Z07:00")))
        case .list(let list):
            try writer.write("[")
            for (index, element) in list.elements.enumerated() {
                if index > 0 { try writer.write(",") }
                try write(element, to: &writer)
            }
            try writer.write("]")
        case .map(let map): try object(map.sortedKeys.map { ($0, map.entries[$0] ?? .null) }, to: &writer)
        case .record(let record):
            try object(Array(zip(record.type.jsonNames ?? record.type.fields, record.values)), to: &writer)
        }
    }

    private static func object(_ members: [(String, Value)], to writer: inout Formatter) throws {
        try writer.write("{")
        for (index, (name, value)) in members.enumerated() {
            if index > 0 { try writer.write(",") }
            try writer.write(quoted(name) + ":")
            try write(value, to: &writer)
        }
        try writer.write("}")
    }

    private static func double(_ number: Double) throws -> String {
        guard number.isFinite else {
            throw CallFailure("json: unsupported value: \(FloatText.shortest(number))")
        }
        let size = abs(number)
        guard size != 0, size < 1e-6 || size >= 1e21 else { return FloatText.format(number, verb: "f", precision: nil) }
        let text = FloatText.format(number, verb: "e", precision: nil)
        // e-09 becomes e-9.
        return text.hasSuffix("e-0" + text.suffix(1)) ? String(text.dropLast(2)) + text.suffix(1) : text
    }

    static func quoted(_ text: String) -> String {
        "\""
            + TextEscaping.replace(text) { scalar in
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\u{08}": "\\b"
                case "\u{0C}": "\\f"
                case "\n": "\\n"
                case "\r": "\\r"
                case "\t": "\\t"
                case "<", ">", "&", "\u{2028}", "\u{2029}": "\\u" + GoText.hexadecimal(scalar.value, width: 4)
                case _ where scalar.value < 0x20: "\\u" + GoText.hexadecimal(scalar.value, width: 4)
                default: nil
                }
            } + "\""
    }
}
