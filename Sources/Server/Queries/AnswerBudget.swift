import HTTPTypes
import Streams
import Synchronization

/// How much memory the answers that clients are still reading may take together, so that slow readers of large answers
/// cannot fill it up.
final class AnswerBudget: Sendable {
    private let bytesMax: Int
    private let taken = Mutex(0)
    private let refusals: Counter

    init(bytesMax: Int, _ telemetry: Telemetry) {
        self.bytesMax = bytesMax
        refusals = telemetry.counter(
            "tocsin_query_answers_refused_total",
            help: "Answers that were given up since clients still read too many others.")
    }

    /// How much is held now.
    var bytes: Int { taken.withLock { $0 } }

    /// Room for one answer, for as long as it lives.
    /// - Throws: 503 while others take it, 422 where there can never be enough.
    func hold(_ bytes: Int) throws(APIFailure) -> Hold {
        let hasRoom = taken.withLock { taken in
            guard bytes <= bytesMax - taken else { return false }
            taken += bytes
            return true
        }
        if hasRoom { return Hold(self, bytes) }
        refusals.add()
        guard bytes <= bytesMax else {
            throw APIFailure(
                status: .unprocessableContent, type: "execution",
                message: "the answer takes \(bytes) bytes in memory, more than \(bytesMax) "
                    + "(--query.max-answer-memory): ask for less")
        }
        throw .busy("the answers that clients are still reading take too much memory; try again later")
    }

    /// Gives its room back when nobody needs the answer any more, however that came.
    final class Hold: Sendable {
        private let budget: AnswerBudget
        private let bytes: Int

        fileprivate init(_ budget: AnswerBudget, _ bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit { budget.taken.withLock { $0 -= bytes } }
    }
}

/// About how much memory an answer takes until it is sent.
enum AnswerSize {
    private static let elementBytes = 64

    static func bytes(of texts: [String]) -> Int {
        texts.reduce(0) { $0 + $1.utf8.count + MemoryLayout<String>.stride }
    }

    static func bytes(of labels: LabelSet) -> Int {
        labels.reduce(elementBytes) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + MemoryLayout<Label>.stride
        }
    }

    static func bytes(of sets: [LabelSet]) -> Int { sets.reduce(0) { $0 + bytes(of: $1) } }
}
