extension Formatter {
    /// `fmt.Sprintf`. Mistakes in the format are shown in the output, as Go does: `%!d(string=x)`, `%!(EXTRA int=2)`.
    static func format(_ format: String, _ arguments: [Value], limit: Int) throws -> String {
        var formatter = Formatter(limit: limit)
        var directives = Directives(format: Array(format.unicodeScalars), arguments: arguments)
        try directives.run(into: &formatter)
        return formatter.text
    }

    private struct Directives {
        let format: [Unicode.Scalar]
        let arguments: [Value]
        var index = 0
        var argument = 0
        var reordered = false
        /// The argument number of the current directive was right.
        var isGoodIndex = true
        var afterIndex = false

        static let numberMax = 1_000_000

        mutating func run(into output: inout Formatter) throws {
            while index < format.count {
                let start = index
                while index < format.count, format[index] != "%" { index += 1 }
                if index > start { try output.write(text(start, index)) }
                guard index < format.count else { break }
                index += 1
                try directive(into: &output)
            }
            if !reordered, argument < arguments.count { try extra(into: &output) }
        }

        private func text(_ start: Int, _ end: Int) -> String {
            var result = ""
            result.unicodeScalars.append(contentsOf: format[start..<end])
            return result
        }

        private mutating func extra(into output: inout Formatter) throws {
            try output.write("%!(EXTRA ")
            for (number, value) in arguments[argument...].enumerated() {
                if number > 0 { try output.write(", ") }
                if value.isNil {
                    try output.write("<nil>")
                } else {
                    try output.write(value.typeName + "=")
                    try output.printArgument(value, "v", Options())
                }
            }
            try output.write(")")
        }

        private mutating func directive(into output: inout Formatter) throws {
            var options = flags()
            isGoodIndex = true
            afterIndex = false
            argumentNumber()
            try width(&options, &output)
            try precision(&options, &output)
            if !afterIndex { argumentNumber() }
            guard index < format.count else { return try output.write("%!(NOVERB)") }
            let verb = format[index]
            index += 1
            if verb == "%" { return try output.write("%") }
            guard isGoodIndex else { return try output.write("%!\(verb)(BADINDEX)") }
            guard argument < arguments.count else { return try output.write("%!\(verb)(MISSING)") }
            if options.minus, verb != "v" { options.zero = false }
            argument += 1
            try output.printArgument(arguments[argument - 1], verb, options)
        }

        private mutating func flags() -> Options {
            var options = Options()
            while index < format.count {
                switch format[index] {
                case "#": options.sharp = true
                case "0": options.zero = true
                case "+": options.plus = true
                case "-": options.minus = true
                case " ": options.space = true
                default: return options
                }
                index += 1
            }
            return options
        }

        private mutating func width(_ options: inout Options, _ output: inout Formatter) throws {
            if index < format.count, format[index] == "*" {
                index += 1
                if let number = numberArgument() {
                    if number < 0 { options.minus = true }
                    options.width = Int(number.magnitude)
                } else {
                    try output.write("%!(BADWIDTH)")
                }
                afterIndex = false
            } else if let number = number() {
                options.width = number
                if afterIndex { isGoodIndex = false }
            }
        }

        private mutating func precision(_ options: inout Options, _ output: inout Formatter) throws {
            guard index < format.count, format[index] == "." else { return }
            index += 1
            if afterIndex { isGoodIndex = false }
            argumentNumber()
            if index < format.count, format[index] == "*" {
                index += 1
                if let number = numberArgument() {
                    options.precision = number < 0 ? nil : number
                } else {
                    try output.write("%!(BADPREC)")
                }
                afterIndex = false
            } else {
                options.precision = number() ?? 0
            }
        }

        private mutating func numberArgument() -> Int? {
            guard argument < arguments.count else { return nil }
            argument += 1
            guard case .int(let number) = arguments[argument - 1], number.magnitude <= Self.numberMax else {
                return nil
            }
            return number
        }

        private mutating func number() -> Int? {
            var value: Int?
            while index < format.count, ("0"..."9").contains(format[index]) {
                value = (value ?? 0) * 10 + Int(format[index].value - 0x30)
                index += 1
                if (value ?? 0) > Self.numberMax { return nil }
            }
            return value
        }

        /// `[3]`: which argument is next.
        private mutating func argumentNumber() {
            guard index < format.count, format[index] == "[" else { return }
            reordered = true
            guard let close = format[index...].firstIndex(of: "]") else {
                isGoodIndex = false
                index += 1
                return
            }
            let number = Int(text(index + 1, close))
            index = close + 1
            guard let number, number >= 1, number <= arguments.count else {
                isGoodIndex = false
                return
            }
            argument = number - 1
            afterIndex = true
        }
    }
}
