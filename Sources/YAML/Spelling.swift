/// Finds what a misspelt word was meant to be.
package enum Spelling {
    /// The candidate with the fewest insertions, deletions, replacements and swaps of neighbours, of several one that begins
    /// with the word; nil when even that one is too far: more than a third of the word's length, at least one.
    package static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
        let letters = Array(word.utf8)
        guard letters.count <= 100 else { return nil }
        let limit = max(1, letters.count / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let other = Array(candidate.utf8)
            guard abs(other.count - letters.count) <= limit else { continue }
            let distance = distance(letters, other)
            guard distance <= limit, distance <= best?.distance ?? .max else { continue }
            let isBetter = distance < best?.distance ?? .max || other.starts(with: letters)
            if isBetter { best = (candidate, distance) }
        }
        return best?.candidate
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
