import PromQL
import TestKit

/// Random expressions that the parser takes, over the series of `FuzzData`: every function and operator by its
/// signature, with every modifier.
struct Grammar {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func expression() -> [UInt8] {
        let depth = Int.random(in: 1...5, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return Array(scalar(depth).utf8)
        case 1: return Array(matrix(depth).utf8)
        default: return Array(vector(depth).utf8)
        }
    }

    private mutating func any(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func argument(_ type: ValueType, _ depth: Int) -> String {
        switch type {
        case .scalar: scalar(depth)
        case .vector: vector(depth)
        case .matrix: matrix(depth)
        case .string: any(["\"\"", "\"job\"", "\"a b\"", "'$1-x'", "\"(.*)\"", "\"(?P<n>.).+\"", "\"le\"", "\"é\""])
        }
    }

    private mutating func call(_ function: FunctionSignature, _ depth: Int) -> String {
        var types = function.argumentTypes
        let last = types.last ?? .scalar
        switch function.variadic {
        case .none: break
        case .upTo(let times):
            types.removeLast()
            types += Array(repeating: last, count: Int.random(in: 0...times, using: &random))
        case .unbounded:
            types.removeLast()
            types += Array(repeating: last, count: Int.random(in: 0...3, using: &random))
        }
        let arguments = types.map { argument($0, depth - 1) }
        // The second argument of info() is a selector, and no other expression.
        if function.name == "info", arguments.count == 2 {
            return "info(\(arguments[0]), {\(any(["version=~\".+\"", "__name__=\"target_info\"", "zone=\"\""]))})"
        }
        return "\(function.name)(\(arguments.joined(separator: ", ")))"
    }

    private mutating func scalar(_ depth: Int) -> String {
        if depth <= 0 || chance(40) {
            return any([
                "0", "1", "-1", "2", "0.5", "0.9", "1e3", "NaN", "Inf", "-Inf", "5m", "1e-320", "1e308", "7", "100",
                "0x1F",
                "pi()", "time()", "-0", "9223372036854775807",
            ])
        }
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            let calls = FunctionSignature.all.filter { $0.returnType == .scalar }
            return calls.randomElement(using: &random).map { call($0, depth) } ?? "1"
        case 1: return "scalar(\(vector(depth - 1)))"
        case 2: return "-(\(scalar(depth - 1)))"
        case 3:
            let comparison = any(["==", "!=", "<", "<=", ">", ">="])
            return "(\(scalar(depth - 1)) \(comparison) bool \(scalar(depth - 1)))"
        default:
            let op = any(["+", "-", "*", "/", "%", "^", "atan2"])
            return "(\(scalar(depth - 1)) \(op) \(scalar(depth - 1)))"
        }
    }

    private mutating func matrix(_ depth: Int) -> String {
        let range = any(["5m", "1m", "30s", "20m", "1h", "1s", "step() + 1m", "2 * 30s", "range() + 1", "1y"])
        if depth <= 0 || chance(70) {
            return "\(name())[\(range)]\(chance(15) ? any([" anchored", " smoothed"]) : "")\(modifiers())"
        }
        let step = any(["", "", "30s", "7s", "1m", "10m", "step()"])
        return "(\(vector(depth - 1)))[\(range):\(step)]\(modifiers())"
    }

    private mutating func name() -> String {
        let name = FuzzData.metrics.randomElement(using: &random) ?? "up"
        guard chance(30) else { return name }
        return name
            + any([
                "{job=\"a\"}", "{job!=\"a\"}", "{job=~\"a|b\"}", "{le=~\".+\"}", "{}", "{rank=~\"[0-2]\"}",
                "{instance!~\".*1\"}", "{nothing=\"\"}", "{\"a b\"=\"c\"}",
            ])
    }

    private mutating func modifiers() -> String {
        var text = ""
        if chance(20) { text += " offset " + any(["1m", "-1m", "30s", "5m", "-(1m + step())", "1000y"]) }
        if chance(12) { text += " @ " + any(["start()", "end()", "600", "0", "-5", "1234.567", "1e12"]) }
        return text
    }

    private mutating func vector(_ depth: Int) -> String {
        if depth <= 0 || chance(15) { return name() + modifiers() }
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1, 2, 3:
            let calls = FunctionSignature.all.filter { $0.returnType == .vector }
            return calls.randomElement(using: &random).map { call($0, depth) } ?? "vector(1)"
        case 4, 5, 6: return aggregation(depth)
        case 7: return "-(\(vector(depth - 1)))"
        default: return binary(depth)
        }
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let op = AggregationOperator.allCases.randomElement(using: &random) ?? .sum
        let grouping = chance(70) ? any([" by ", " without "]) + "(\(labels())) " : ""
        var parameter = ""
        if let type = op.parameterType {
            parameter = (type == .string ? any(["\"value\"", "\"job\""]) : scalar(depth - 2)) + ", "
        }
        return "\(op.rawValue)\(grouping)(\(parameter)\(vector(depth - 1)))"
    }

    private mutating func labels() -> String {
        let all = ["job", "rank", "instance", "le", "nothing", "__name__", "\"a b\""].shuffled(using: &random)
        return all.prefix(Int.random(in: 0...3, using: &random)).joined(separator: ", ")
    }

    private mutating func binary(_ depth: Int) -> String {
        let left = chance(20) ? scalar(depth - 1) : vector(depth - 1)
        let right = chance(20) ? scalar(depth - 1) : vector(depth - 1)
        var modifier = ""
        var op = any(["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "</", ">/"])
        if chance(20) {
            op = any(["and", "or", "unless"])
            if chance(50) { modifier = any([" on ", " ignoring "]) + "(\(labels()))" }
            return "(\(vector(depth - 1))) \(op)\(modifier) (\(vector(depth - 1)))"
        }
        if "=!<>".contains(op.first ?? " "), !op.hasSuffix("/"), chance(40) { modifier += " bool" }
        if chance(60) {
            modifier += any([" on ", " ignoring "]) + "(\(labels()))"
            if chance(50) { modifier += any([" group_left", " group_right"]) + any(["", " (zone)", " (rank)"]) }
            if chance(20) { modifier += any([" fill", " fill_left", " fill_right"]) + " (0)" }
        }
        return "(\(left)) \(op)\(modifier) (\(right))"
    }
}
