/// What the graph wants to hear about: one rule node's input, say. Given out by the graph; storage only carries it.
///
/// After a reload the graph uses ids that it has not used before, so that a late message about an old node is no riddle.
package struct InterestID: Hashable, Sendable, Comparable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Tells which interests a series touches. Asked once when a series is created, and for every series after a reload;
/// the answer must depend on nothing but the labels.
package protocol InterestResolver: Sendable {
    /// In any order; no answer may hold an id twice.
    func interests(in labels: LabelSet) -> [InterestID]
}

/// What one applied batch changed, as far as somebody is interested.
package struct Touched: Sendable, Equatable {
    package enum Series: Sendable, Equatable {
        /// More than storage cares to list: look at every series.
        case all
        /// Rising by id, each once.
        case some([SeriesID])
    }

    /// Rises from batch to batch, not always by one. Batches that are submitted at the same time may be delivered in
    /// another order than their numbers.
    package var sequence: UInt64
    /// The series that got a sample, by interest; empty when the batch touched nothing of interest.
    package var interests: [InterestID: Series]
    /// The newest of the samples stored, of interest or not; `distantPast` when none was.
    package var maxTimestamp: Timestamp

    package init(sequence: UInt64, interests: [InterestID: Series], maxTimestamp: Timestamp) {
        self.sequence = sequence
        self.interests = interests
        self.maxTimestamp = maxTimestamp
    }
}

/// Room that was promised to one batch; means something only to the listener that gave it.
package struct Reservation: Sendable, Equatable {
    package var token: UInt64
    package init(token: UInt64 = 0) { self.token = token }
}

/// Who hears of applied batches: the graph's rule operators stand behind it.
package protocol ChangeListener: Sendable {
    /// Promises room for one batch. Asked before anything of the batch is applied, so that a full graph refuses it whole.
    /// - Throws: `.saturated` when there was no room within `patience`, `.closed` when the graph shuts down or the task
    ///   is cancelled.
    func reserve(patience: Duration) async throws(IngestError) -> Reservation

    /// Called exactly once for each reservation, after every shard has applied the batch, also when it touched nothing.
    /// Must not wait.
    func deliver(_ touched: Touched, _ reservation: Reservation)
}
