import PromQL
import TestKit

/// Makes new inputs of known ones: bytes changed, fragments put in, pieces of two inputs joined, a sub-expression in the
/// place of another of its type, or an expression out of nothing.
package struct Mutator {
    private static let sizeMax = 8192

    private static let fragments =
        """
        ( ) [ ] { } {{ }} , : = =~ !~ != " ' ` \\ \\x # @ @start() @end() offset by without bool on ignoring group_left \
        group_right fill( fill_left( fill_right( step() range() start() end() min_of( max_of( sum 5m 1e 0x _ x9 . - -- ^ \
        * / % atan2 == > </ >/ Inf -Inf NaN 0 -1 1e308 5e-324 9223372036854775807 9999999999999999999 -0 1e19 292y \
        1000000y 1ms 0s [5m: [1d:1ms] [5m] offset-1h anchored smoothed é \u{FFFD} \u{0} stale info( rate( \
        histogram_quantile(0.9, label_replace( sum(rate( or and unless {{schema:0 count:1 buckets:[1]}} x3 _x2
        """.split(whereSeparator: { $0 == " " }).map { Array($0.utf8) } + [[10], [32]]

    private var random: SeededGenerator
    private var grammar: Grammar

    package init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        grammar = Grammar(seed: seed &+ 1)
    }

    /// One of a corpus, changed.
    package mutating func input(from corpus: Corpus) -> [UInt8] {
        guard let first = corpus.inputs.randomElement(using: &random) else { return grammar.expression() }
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: return grammar.expression()
        case 2, 3, 4:
            if let other = corpus.inputs.randomElement(using: &random), let grafted = graft(other, onto: first) {
                return grafted
            }
        case 5:
            if let other = corpus.inputs.randomElement(using: &random) { return splice(first, other) }
        default: break
        }
        var bytes = first
        for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes) }
        return bytes.count > Self.sizeMax ? Array(bytes[..<Self.sizeMax]) : bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let length = min(Int.random(in: 0...16, using: &random), bytes.count - place)
        let fragment = Self.fragments.randomElement(using: &random) ?? []
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes.removeSubrange(place..<(place + length))
        case 1: bytes.insert(contentsOf: fragment, at: place)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 3: bytes.insert(contentsOf: Array(bytes[place..<(place + length)]), at: place)
        case 4: bytes.replaceSubrange(place..<(place + length), with: fragment)
        case 5: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
        case 6:
            let run = Array(bytes[place..<(place + length)])
            let times = Int.random(in: 2...200, using: &random)
            for _ in 0..<times where bytes.count < Self.sizeMax { bytes.insert(contentsOf: run, at: place) }
        default:
            if length > 1 { bytes.swapAt(place, place + length - 1) }
        }
    }

    private mutating func splice(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        let head = one.prefix(Int.random(in: 0...one.count, using: &random))
        let tail = other.suffix(Int.random(in: 0...other.count, using: &random))
        return Array((head + tail).prefix(Self.sizeMax))
    }

    /// A sub-expression of one in the place of one of the same type in the other.
    private mutating func graft(_ source: [UInt8], onto target: [UInt8]) -> [UInt8]? {
        let twigs = parts(source)
        let places = parts(target)
        guard let place = places.randomElement(using: &random),
            let twig = twigs.filter({ $0.type == place.type }).randomElement(using: &random)
        else { return nil }
        let isLoose = Bool.random(using: &random)
        let text = Array(source[twig.place.start..<twig.place.end])
        var result = Array(target[..<place.place.start])
        result += isLoose ? text : Array("(".utf8) + text + Array(")".utf8)
        result += target[place.place.end...]
        return result.count > Self.sizeMax ? nil : result
    }

    private func parts(_ bytes: [UInt8]) -> [(type: ValueType, place: Place)] {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.count == bytes.count,
            let expression = try? PromQLParser.parse(text, options: .everything)
        else { return [] }
        var found: [(ValueType, Place)] = []
        expression.walk { part in
            if part.place.start >= 0, part.place.start <= part.place.end, part.place.end <= bytes.count {
                found.append((part.type, part.place))
            }
        }
        return found
    }
}
