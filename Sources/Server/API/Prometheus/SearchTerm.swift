/// How well names match what somebody types, from 0 (not at all) to 1, with the scores of Prometheus's search.
struct SearchTerm {
    enum Algorithm: String, CaseIterable {
        /// All characters of the term, in order; the fewer gaps, the better.
        case subsequence
        /// The term somewhere inside, or a similar text.
        case similarity = "jarowinkler"
    }

    private let term: [Unicode.Scalar]
    private let algorithm: Algorithm
    private let threshold: Double

    /// - Parameter threshold: what scores less is no match.
    init(_ term: String, _ algorithm: Algorithm, threshold: Double) {
        self.term = Array(term.unicodeScalars)
        self.algorithm = algorithm
        self.threshold = threshold
    }

    /// Nil: no match.
    func score(_ name: [Unicode.Scalar]) -> Double? {
        if name.starts(with: term) { return 1 }
        switch algorithm {
        case .subsequence:
            let score = subsequenceScore(name)
            return score > 0 && score >= threshold ? score : nil
        case .similarity:
            if let score = substringScore(name) { return score }
            guard threshold > 0 else { return nil }
            let score = similarity(name)
            return score >= threshold ? score : nil
        }
    }

    // MARK: substrings

    /// The further back the term stands, the lower, down to 0.1.
    private func substringScore(_ name: [Unicode.Scalar]) -> Double? {
        guard name.count > term.count else { return nil }
        let last = name.count - term.count
        guard let place = (1...last).first(where: { name[$0...].starts(with: term) }) else { return nil }
        return 1 - 0.9 * Double(place) / Double(last)
    }

    // MARK: subsequences

    /// The best over all places where the term can begin. Each run of consecutive matches counts by its square; what is
    /// skipped costs its share of the name's length, at the end half of that.
    private func subsequenceScore(_ name: [Unicode.Scalar]) -> Double {
        guard let first = term.first, term.count <= name.count else { return 0 }
        var best = 0.0
        for start in 0...(name.count - term.count) where name[start] == first {
            // What can't be completed from here can't from any later place.
            guard let score = runScore(name, from: start) else { break }
            best = max(best, score)
        }
        return best / Double(term.count * term.count) * 0.999
    }

    private func runScore(_ name: [Unicode.Scalar], from start: Int) -> Double? {
        var score = 0.0
        var matched = 0
        var place = start
        var end = 0
        while matched < term.count {
            guard let begin = name[place...].firstIndex(of: term[matched]) else { return nil }
            place = begin
            while matched < term.count, place < name.count, name[place] == term[matched] {
                matched += 1
                place += 1
            }
            let run = place - begin
            score += Double(run * run) - Double(begin - end) / Double(name.count)
            end = place
        }
        return score - Double(name.count - end) / Double(name.count) * 0.5
    }

    // MARK: similarity

    /// Jaro's similarity, with Winkler's bonus for a common beginning.
    private func similarity(_ name: [Unicode.Scalar]) -> Double {
        let (short, long) = term.count <= name.count ? (term, name) : (name, term)
        guard !short.isEmpty else { return 0 }
        let reach = max(long.count / 2 - 1, 0)
        var isTaken = [Bool](repeating: false, count: long.count)
        var common: [Unicode.Scalar] = []
        for (place, scalar) in short.enumerated() {
            let window = max(place - reach, 0)..<max(min(place + reach + 1, long.count), max(place - reach, 0))
            guard let found = window.first(where: { !isTaken[$0] && long[$0] == scalar }) else { continue }
            isTaken[found] = true
            common.append(scalar)
        }
        guard !common.isEmpty else { return 0 }
        let inOrder = zip(long, isTaken).filter(\.1).map(\.0)
        let moved = Double(zip(common, inOrder).count { $0 != $1 }) / 2
        let count = Double(common.count)
        let jaro = (count / Double(short.count) + count / Double(long.count) + (count - moved) / count) / 3
        let prefix = zip(short, long).prefix(4).prefix { $0 == $1 }.count
        return jaro + Double(prefix) * 0.1 * (1 - jaro)
    }
}
