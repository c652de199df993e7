/// Where sources tell what comes beside samples: what metric families are, and exemplars. It is kept in bounded memory;
/// what finds no room is dropped and counted, and no source waits or fails for it.
package protocol CompanionIngest: Sendable {
    /// Tells what metric families are. Calls cost about what the facts are worth, so sources tell what is new.
    /// - Parameter replacing: what the owner told before, and is not among the facts, is forgotten.
    func tell(_ facts: [MetricMetadata], from owner: MetadataOwner, replacing: Bool)

    /// Forgets families that the owner told of.
    func forget(_ families: [String], of owner: MetadataOwner)

    /// Forgets all that the owner told: it is gone.
    func forget(_ owner: MetadataOwner)

    /// Keeps exemplars, the older ones of a series first; to be called once their samples were submitted.
    func keep(_ exemplars: [SeriesExemplar]) async
}

/// An ingest that takes samples only.
extension CompanionIngest {
    package func tell(_ facts: [MetricMetadata], from owner: MetadataOwner, replacing: Bool) {}
    package func forget(_ families: [String], of owner: MetadataOwner) {}
    package func forget(_ owner: MetadataOwner) {}
    package func keep(_ exemplars: [SeriesExemplar]) async {}
}
