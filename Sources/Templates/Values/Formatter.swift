/// Go's fmt: `Sprint`, `Sprintln`, `Sprintf` over template values, into a text of limited size.
struct Formatter {
    private(set) var text = ""
    let limit: Int

    struct TooLong: Error {}

    init(limit: Int) { self.limit = limit }

    /// The flags, width and precision of one verb.
    struct Options {
        var plus = false
        var minus = false
        var sharp = false
        var space = false
        var zero = false
        var width: Int?
        var precision: Int?
        /// `%+v` and `%#v`: the flags then say how values are written, not how numbers are.
        var plusV = false
        var sharpV = false
    }

    mutating func write(_ piece: String) throws {
        guard text.utf8.count + piece.utf8.count <= limit else { throw TooLong() }
        text += piece
    }

    // MARK: Print

    /// `fmt.Sprint`: a space between two operands when neither is a string.
    static func print(_ values: [Value], limit: Int) throws -> String {
        if values.count == 1, case .string(let text) = values[0] { return text }
        var formatter = Formatter(limit: limit)
        var previousIsString = true
        for (index, value) in values.enumerated() {
            let isString = if case .string = value { true } else { false }
            if index > 0, !isString, !previousIsString { try formatter.write(" ") }
            try formatter.printArgument(value, "v", Options())
            previousIsString = isString
        }
        return formatter.text
    }

    /// `fmt.Sprintln`
    static func printLine(_ values: [Value], limit: Int) throws -> String {
        var formatter = Formatter(limit: limit)
        for (index, value) in values.enumerated() {
            if index > 0 { try formatter.write(" ") }
            try formatter.printArgument(value, "v", Options())
        }
        try formatter.write("\n")
        return formatter.text
    }

    // MARK: Values

    mutating func printArgument(_ value: Value, _ verb: Unicode.Scalar, _ options: Options) throws {
        var options = options
        if case .absent = value { return try printNil(verb, options) }
        if case .null = value { return try printNil(verb, options) }
        if verb == "T" { return try writePadded(value.typeName, options) }
        if verb == "v" {
            if options.sharp { (options.sharp, options.sharpV) = (false, true) }
            if options.plus { (options.plus, options.plusV) = (false, true) }
        }
        try printValue(value, verb, options, depth: 0)
    }

    private mutating func printNil(_ verb: Unicode.Scalar, _ options: Options) throws {
        if verb == "T" || verb == "v" { try writePadded("<nil>", options) } else { try write("%!\(verb)(<nil>)") }
    }

    private mutating func printValue(_ value: Value, _ verb: Unicode.Scalar, _ options: Options, depth: Int) throws {
        if !options.sharpV, "vsxXq".unicodeScalars.contains(verb), let text = value.ownText {
            return try printString(text, verb, options, value)
        }
        switch value {
        case .absent, .null: try writePadded(options.sharpV ? "interface {}(nil)" : "<nil>", options)
        case .bool(let flag):
            guard verb == "t" || verb == "v" else { return try badVerb(verb, value) }
            try writePadded(flag ? "true" : "false", options)
        case .int(let number), .named(let number, _, _): try printInteger(number, verb, options, value)
        case .duration(let number): try printInteger(Int(number), verb, options, value)
        case .double(let number): try printDouble(number, verb, options, value)
        case .complex(let real, let imaginary):
            guard "vbgGxXfFeE".unicodeScalars.contains(verb) else { return try badVerb(verb, value) }
            try write("(")
            try printDouble(real, verb, options, value)
            var signed = options
            signed.plus = true
            try printDouble(imaginary, verb, signed, value)
            try write("i)")
        case .string(let text), .trusted(_, let text): try printString(text, verb, options, value)
        case .time(let time): try writePadded(options.sharpV ? time.goSource : time.description, options)
        case .list(let list): try printList(list, verb, options, depth: depth)
        case .map(let map): try printMap(map, verb, options, depth: depth)
        case .record(let record): try printRecord(record, verb, options, depth: depth)
        }
    }

    private mutating func element(_ value: Value, _ verb: Unicode.Scalar, _ options: Options, depth: Int) throws {
        if value.isNil, !options.sharpV { return try writePadded("<nil>", options) }
        try printValue(value, verb, options, depth: depth + 1)
    }

    private mutating func printList(_ list: List, _ verb: Unicode.Scalar, _ options: Options, depth: Int) throws {
        try write(options.sharpV ? list.type.name + "{" : "[")
        for (index, value) in list.elements.enumerated() {
            if index > 0 { try write(options.sharpV ? ", " : " ") }
            try element(value, verb, options, depth: depth)
        }
        try write(options.sharpV ? "}" : "]")
    }

    private mutating func printMap(_ map: Map, _ verb: Unicode.Scalar, _ options: Options, depth: Int) throws {
        try write(options.sharpV ? map.type.name + "{" : "map[")
        for (index, key) in map.sortedKeys.enumerated() {
            if index > 0 { try write(options.sharpV ? ", " : " ") }
            try printString(key, verb, options, .string(key))
            try write(":")
            try element(map.entries[key] ?? .null, verb, options, depth: depth)
        }
        try write(options.sharpV ? "}" : "]")
    }

    private mutating func printRecord(_ record: Record, _ verb: Unicode.Scalar, _ options: Options, depth: Int) throws {
        if options.sharpV {
            try write(record.type.name.hasPrefix("*") ? "&" + record.type.name.dropFirst() : record.type.name)
        }
        try write(record.type.name.hasPrefix("*") && !options.sharpV && depth == 0 ? "&{" : "{")
        for (index, value) in record.values.enumerated() {
            if index > 0 { try write(options.sharpV ? ", " : " ") }
            if options.sharpV || options.plusV { try write(record.type.fields[index] + ":") }
            try element(value, verb, options, depth: depth)
        }
        try write("}")
    }

    private mutating func badVerb(_ verb: Unicode.Scalar, _ value: Value) throws {
        try write("%!\(verb)(")
        if value.isNil {
            try write("<nil>")
        } else {
            try write(value.typeName + "=")
            try printValue(value, "v", Options(), depth: 0)
        }
        try write(")")
    }

    // MARK: Strings

    private mutating func printString(_ text: String, _ verb: Unicode.Scalar, _ options: Options, _ value: Value) throws
    {
        switch verb {
        case "v" where options.sharpV: try printString(text, "q", Options(), value)
        case "v", "s": try writePadded(truncated(text, options), options)
        case "x", "X": try writePadded(hexadecimalBytes(text, options, uppercase: verb == "X"), options)
        case "q":
            let text = truncated(text, options)
            let isRaw =
                options.sharp
                && !text.unicodeScalars.contains {
                    $0 == "`" || $0.value < 0x20 && $0 != "\t" || $0.value == 0x7F || $0.value == 0xFEFF
                }
            try writePadded(isRaw ? "`\(text)`" : GoText.quote(text, ascii: options.plus), options)
        default: try badVerb(verb, value)
        }
    }

    private func truncated(_ text: String, _ options: Options) -> String {
        guard let precision = options.precision, precision < text.utf8.count else { return text }
        return String(text.unicodeScalars.prefix(precision))
    }

    private func hexadecimalBytes(_ text: String, _ options: Options, uppercase: Bool) -> String {
        let prefix = options.sharp ? (uppercase ? "0X" : "0x") : ""
        var result = ""
        for (index, byte) in text.utf8.prefix(options.precision ?? .max).enumerated() {
            if index == 0 { result += prefix } else if options.space { result += " " + prefix }
            result += GoText.hexadecimal(byte, width: 2, uppercase: uppercase)
        }
        return result
    }

    /// Pads to the width, which counts characters.
    private mutating func writePadded(_ piece: String, _ options: Options) throws {
        guard let width = options.width else { return try write(piece) }
        let missing = width - piece.unicodeScalars.count
        guard missing > 0 else { return try write(piece) }
        if options.minus {
            try write(piece)
            try write(String(repeating: " ", count: missing))
        } else {
            try write(String(repeating: options.zero ? "0" : " ", count: missing))
            try write(piece)
        }
    }

    // MARK: Numbers

    private mutating func printInteger(_ number: Int, _ verb: Unicode.Scalar, _ options: Options, _ value: Value) throws
    {
        switch verb {
        case "v", "d": try writeInteger(number, radix: 10, options)
        case "b": try writeInteger(number, radix: 2, options, prefix: "0b")
        case "o": try writeInteger(number, radix: 8, options, prefix: "0")
        case "O":
            var prefixed = options
            prefixed.sharp = true
            try writeInteger(number, radix: 8, prefixed, prefix: "0o")
        case "x": try writeInteger(number, radix: 16, options, prefix: "0x")
        case "X": try writeInteger(number, radix: 16, options, prefix: "0X", uppercase: true)
        case "c": try writePadded(String(scalar(number)), options)
        case "q": try writePadded(GoText.quote(String(scalar(number)), ascii: options.plus, with: "'"), options)
        case "U":
            let code =
                "U+"
                + GoText.hexadecimal(UInt(bitPattern: number), width: max(4, options.precision ?? 0), uppercase: true)
            try writePadded(options.sharp ? "\(code) '\(scalar(number))'" : code, options)
        default: try badVerb(verb, value)
        }
    }

    private func scalar(_ number: Int) -> Unicode.Scalar {
        UInt32(exactly: number).flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
    }

    private mutating func writeInteger(
        _ number: Int, radix: Int, _ options: Options, prefix: String = "", uppercase: Bool = false
    ) throws {
        let sign = number < 0 ? "-" : options.plus ? "+" : options.space ? " " : ""
        var digits = String(number.magnitude, radix: radix, uppercase: uppercase)
        if options.precision == 0, number == 0 { return try writePadded("", withoutZeros(options)) }
        var wanted = options.precision ?? 0
        if options.precision == nil, options.zero, !options.minus, let width = options.width {
            wanted = width - sign.utf8.count
        }
        digits = String(repeating: "0", count: max(0, min(wanted, limit) - digits.utf8.count)) + digits
        var start = options.sharp ? prefix : ""
        if start == "0", digits.first == "0" { start = "" }
        try writePadded(sign + start + digits, withoutZeros(options))
    }

    private func withoutZeros(_ options: Options) -> Options {
        var plain = options
        plain.zero = false
        return plain
    }

    private mutating func printDouble(_ number: Double, _ verb: Unicode.Scalar, _ options: Options, _ value: Value)
        throws
    {
        let text: String
        switch verb {
        case "v": text = FloatText.format(number, verb: "g", precision: options.precision)
        case "b", "g", "G", "x", "X": text = FloatText.format(number, verb: verb, precision: options.precision)
        case "f", "F", "e", "E": text = FloatText.format(number, verb: verb, precision: options.precision ?? 6)
        default: return try badVerb(verb, value)
        }
        var body = text
        var sign = "+"
        if let first = body.utf8.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? "-" : "+"
            body.removeFirst()
        }
        if options.sharp, verb != "b", number.isFinite {
            body = withPoint(body, verb, precision: options.precision)
        }
        if sign == "+" {
            sign =
                options.plus || (number.isInfinite && !options.space && text.hasPrefix("+"))
                ? "+" : options.space ? " " : ""
        }
        guard options.zero, !options.minus, number.isFinite, let width = options.width else {
            return try writePadded(sign + body, withoutZeros(options))
        }
        try write(sign)
        var rest = options
        rest.width = width - sign.utf8.count
        try writePadded(body, rest)
    }

    /// The `#` flag: always a point, and with `%g` the zeros behind it.
    private func withPoint(_ body: String, _ verb: Unicode.Scalar, precision: Int?) -> String {
        var mantissa = body
        var tail = ""
        if verb != "x", verb != "X", let start = body.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            tail = String(body[start...])
            mantissa = String(body[..<start])
        }
        let hasPoint = mantissa.contains(".")
        if !hasPoint { mantissa += "." }
        guard "vgG".unicodeScalars.contains(verb) else { return mantissa + tail }
        let wanted = precision ?? 6
        let shown = mantissa.drop { $0 == "0" || $0 == "." }.filter { $0 != "." }.utf8.count
        let counted = shown == 0 ? 1 : shown
        return mantissa + String(repeating: "0", count: max(0, min(wanted, limit) - counted)) + tail
    }
}

extension Value {
    /// What a `String()` method of the value's type says, where the type has one.
    var ownText: String? {
        switch self {
        case .duration(let nanoseconds): GoDuration.text(nanoseconds)
        case .time(let time): time.description
        case .named(_, let name, _): name
        case .list(let list): list.type.text.map { $0(list) }
        case .map(let map): map.type.text.map { $0(map) }
        default: nil
        }
    }
}
