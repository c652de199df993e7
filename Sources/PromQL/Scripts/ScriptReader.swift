import Streams

/// Reads a script command by command.
struct ScriptReader {
    private let lines: [String]
    private var next = 0

    init(_ text: String) {
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { line in
            let trimmed = line.trimmed
            return trimmed.hasPrefix("#") ? "" : trimmed
        }
    }

    /// The next command; nil at the end.
    mutating func nextCommand() throws(ScriptError) -> PromQLScript.Command? {
        while next < lines.count, lines[next].isEmpty { next += 1 }
        guard next < lines.count else { return nil }
        let line = next + 1
        let words = lines[next].split(whereSeparator: \.isBlank).map(String.init)
        let first = words[0].lowercased()
        if first == "clear" {
            next += 1
            return .clear
        }
        if first.hasPrefix("load") { return .load(try load(words, line)) }
        if first.hasPrefix("eval") { return .evaluate(try evaluation(first, line)) }
        throw ScriptError(line: line, problem: "unknown command \(quoted(words[0])); known are clear, load and eval")
    }

    /// The lines of the current block, below the command's own.
    private mutating func block() -> [(line: Int, text: String)] {
        var block: [(Int, String)] = []
        next += 1
        while next < lines.count, !lines[next].isEmpty {
            block.append((next + 1, lines[next]))
            next += 1
        }
        return block
    }

    private mutating func load(_ words: [String], _ line: Int) throws(ScriptError) -> ScriptLoad {
        guard words.count == 2 else { throw ScriptError(line: line, problem: "load needs a step: load 1m") }
        let step = try duration(words[1], line)
        guard step > .zero else { throw ScriptError(line: line, problem: "the step must be above zero") }
        var series: [SeriesNotation] = []
        var startOffsets: [LabelSet: [Int64?]] = [:]
        var pending: (labels: LabelSet, offsets: [Int64?])?
        for (line, text) in block() {
            // `series@st offsets` gives the start timestamps of the series in the next line.
            if let (name, items) = StartTimestampNotation.split(text) {
                pending = (try self.series(name, line).labels, try offsets(items, line))
                continue
            }
            let notation = try self.series(text, line)
            if let found = pending {
                guard found.labels == notation.labels, found.offsets.count == notation.values.count else {
                    throw ScriptError(line: line, problem: "the start timestamps before this line are not those of it")
                }
                startOffsets[notation.labels] = found.offsets
                pending = nil
            }
            series.append(notation)
        }
        return ScriptLoad(
            step: step, series: series, startOffsets: startOffsets,
            withCustomBuckets: words[0].lowercased() == "load_with_nhcb", line: line)
    }

    private func offsets(_ items: String, _ line: Int) throws(ScriptError) -> [Int64?] {
        do throws(StartTimestampNotation.Problem) {
            return try StartTimestampNotation.offsets(items)
        } catch {
            throw ScriptError(line: line, problem: error.description)
        }
    }

    private func series(_ text: String, _ line: Int) throws(ScriptError) -> SeriesNotation {
        do throws(ParseError) {
            return try PromQLParser.parseSeriesNotation(text)
        } catch {
            throw ScriptError(line: line, problem: error.description)
        }
    }

    private func duration(_ text: String, _ line: Int) throws(ScriptError) -> Duration {
        let isNegative = text.hasPrefix("-")
        do throws(Duration.TextError) {
            let duration = try Duration.parse(prometheus: isNegative ? String(text.dropFirst()) : text)
            return isNegative ? .zero - duration : duration
        } catch {
            throw ScriptError(line: line, problem: error.description)
        }
    }

    private func time(_ text: String, _ line: Int) throws(ScriptError) -> Timestamp {
        Timestamp(milliseconds: 0) + (try duration(text, line))
    }

    private mutating func evaluation(_ command: String, _ line: Int) throws(ScriptError) -> ScriptCase {
        var rest = Substring(lines[next])
        func word() -> String {
            rest = rest.drop(while: \.isBlank)
            let word = rest.prefix { !$0.isBlank }
            rest = rest.dropFirst(word.count)
            return String(word)
        }
        func keyword(_ expected: String) throws(ScriptError) {
            let found = word()
            guard found == expected else {
                throw ScriptError(line: line, problem: "expected \(quoted(expected)), found \(quoted(found))")
            }
        }
        _ = word()
        let time: ScriptCase.Time
        switch word() {
        case "instant":
            try keyword("at")
            time = .instant(try self.time(word(), line))
        case "range":
            try keyword("from")
            let from = try self.time(word(), line)
            try keyword("to")
            let to = try self.time(word(), line)
            try keyword("step")
            time = .range(from: from, through: to, step: try duration(word(), line))
        case let kind: throw ScriptError(line: line, problem: "eval \(kind): known are instant and range")
        }
        var result = ScriptCase(line: line, time: time, query: String(rest).trimmed)
        switch command {
        case "eval": break
        case "eval_fail": result.expectation.failure = .any
        case "eval_warn": result.expectation.warnings = [.any]
        case "eval_info": result.expectation.infos = [.any]
        case "eval_ordered": result.expectation.isOrdered = true
        default: throw ScriptError(line: line, problem: "unknown command \(quoted(command))")
        }
        for (line, text) in block() {
            if try !expect(text, line, &result.expectation) { break }
        }
        return result
    }

    /// One line below an `eval`; false when it ends the block.
    private func expect(
        _ text: String, _ line: Int, _ expectation: inout ScriptExpectation
    ) throws(ScriptError) -> Bool {
        if let message = text.without(prefix: "expected_fail_message") {
            expectation.failure = .equal(message.trimmed)
            return false
        }
        if let pattern = text.without(prefix: "expected_fail_regexp") {
            expectation.failure = .matching(try expression(pattern.trimmed, line))
            return false
        }
        if let rest = text.without(prefix: "expect ") ?? text.without(prefix: "expect\t") {
            try statement(rest.trimmed, line, &expectation)
            return true
        }
        if let value = Self.number(text) {
            expectation.scalar = value
            return false
        }
        expectation.series.append(try series(text, line))
        return true
    }

    private static func number(_ text: String) -> Double? {
        switch text.lowercased() {
        case "inf", "+inf": .infinity
        case "-inf": -.infinity
        case "nan": .nan
        default: Double(text)
        }
    }

    private func statement(
        _ text: String, _ line: Int, _ expectation: inout ScriptExpectation
    ) throws(ScriptError) {
        let word = String(text.prefix { !$0.isBlank })
        let rest = String(text.dropFirst(word.count)).trimmed
        switch word {
        case "fail": expectation.failure = try message(rest, line)
        case "warn": expectation.warnings.append(try message(rest, line))
        case "info": expectation.infos.append(try message(rest, line))
        case "no_warn": expectation.forbidsWarnings = true
        case "no_info": expectation.forbidsInfos = true
        case "ordered": expectation.isOrdered = true
        case "string": expectation.string = try string(rest, line)
        case "range":
            let words = rest.split(whereSeparator: \.isBlank).map(String.init)
            guard words.count == 7, words[0] == "vector", words[1] == "from", words[3] == "to", words[5] == "step"
            else { throw ScriptError(line: line, problem: "expected: expect range vector from A to B step S") }
            expectation.rangeVector = (try time(words[2], line), try duration(words[6], line))
        default: throw ScriptError(line: line, problem: "unknown expectation \(quoted(word))")
        }
    }

    private func message(_ text: String, _ line: Int) throws(ScriptError) -> ScriptExpectation.Text {
        if text.isEmpty { return .any }
        if let message = text.without(prefix: "msg:") { return .equal(message.trimmed) }
        if let pattern = text.without(prefix: "regex:") { return .matching(try expression(pattern.trimmed, line)) }
        throw ScriptError(line: line, problem: "expected msg: or regex:, found \(quoted(text))")
    }

    private func expression(_ pattern: String, _ line: Int) throws(ScriptError) -> RegularExpression {
        do throws(RegularExpression.SyntaxError) {
            return try RegularExpression(pattern)
        } catch {
            throw ScriptError(line: line, problem: error.description)
        }
    }

    private func string(_ text: String, _ line: Int) throws(ScriptError) -> String {
        do throws(ParseError) {
            if case .string(let literal) = try PromQLParser.parse(text) { return literal.value }
        } catch {
            throw ScriptError(line: line, problem: "\(error)")
        }
        throw ScriptError(line: line, problem: "\(text) is no string")
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        let start = drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(String(start.reversed()).drop { $0 == " " || $0 == "\t" || $0 == "\r" }.reversed())
    }

    fileprivate func without(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
