import Streams

/// How scripts write start timestamps: offsets from each sample's own time, an item a step or a run of steps.
enum StartTimestampNotation {
    /// More offsets than that are not taken.
    private static let offsetsMax = 1_000_000

    struct Problem: Error {
        let description: String
    }

    /// The series of a line `series@st items` and its items; nil for any other line.
    static func split(_ line: String) -> (series: String, items: String)? {
        var isQuoted = false
        var isEscaped = false
        for index in line.indices {
            let character = line[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if !isQuoted, character == "@" {
                let rest = line[index...].dropFirst()
                guard rest.hasPrefix("st "), index > line.startIndex else { return nil }
                return (String(line[..<index]), String(rest.dropFirst(3)))
            }
        }
        return nil
    }

    /// Offsets in milliseconds, one a step; nil where there is none.
    static func offsets(_ items: String) throws(Problem) -> [Int64?] {
        var offsets: [Int64?] = []
        for item in items.split(separator: " ") {
            let run = try self.run(Substring(item))
            guard run.count <= offsetsMax - offsets.count else {
                throw Problem(description: "too many start timestamps")
            }
            offsets += (0..<run.count).map { step in run.first.map { $0 &+ Int64(step) &* run.step } }
        }
        return offsets
    }

    /// `_`, `_xN`, `D`, `DxN`, `D+ExN` or `D-ExN`.
    private static func run(_ item: Substring) throws(Problem) -> (first: Int64?, step: Int64, count: Int) {
        var rest = item
        if rest.first == "_" {
            rest = rest.dropFirst()
            return (nil, 0, rest.isEmpty ? 1 : try times(rest, item))
        }
        let first = try duration(&rest, item)
        if rest.isEmpty { return (first, 0, 1) }
        if rest.first == "x" { return (first, 0, try times(rest, item) + 1) }
        guard let sign = rest.first, sign == "+" || sign == "-" else { throw wrong(item) }
        rest = rest.dropFirst()
        let step = try duration(&rest, item)
        return (first, sign == "-" ? -step : step, try times(rest, item) + 1)
    }

    private static func times(_ text: Substring, _ item: Substring) throws(Problem) -> Int {
        guard text.first == "x", let times = Int(text.dropFirst()), (0..<offsetsMax).contains(times) else {
            throw wrong(item)
        }
        return times
    }

    /// A duration with or without a sign, up to an `x` or another sign.
    private static func duration(_ rest: inout Substring, _ item: Substring) throws(Problem) -> Int64 {
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        let text = rest.prefix { $0 != "x" && $0 != "+" && $0 != "-" }
        rest = rest.dropFirst(text.count)
        do throws(Duration.TextError) {
            let duration = try Duration.parse(prometheus: String(text)).wholeMilliseconds
            return isNegative ? -duration : duration
        } catch {
            throw wrong(item)
        }
    }

    private static func wrong(_ item: Substring) -> Problem {
        Problem(
            description: "wrong start timestamp \(quoted(String(item))); right are -1m, -1mx3, -1m+10sx3, _ and _x3")
    }
}
