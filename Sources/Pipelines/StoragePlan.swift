package import YAML
internal import Storage
internal import Streams

/// The `storage` section, under the keys of a prometheus.yml. All pipelines share one store, so those that say something say
/// the same.
package struct StoragePlan: Equatable, Sendable {
    /// `exemplars.max_exemplars`; nil where it is not said.
    package var exemplarsMax: Int?
    package var origin: Origin?

    package init(exemplarsMax: Int? = nil) { self.exemplarsMax = exemplarsMax }

    /// - Parameter node: nil or null where there is no such section.
    init(_ node: Node?, _ diagnostics: Diagnostics) {
        guard let node, !node.isNull else { return }
        origin = Origin(node.location)
        let reader = MappingReader(node, "storage", diagnostics)
        if let node = reader.node("exemplars"), !node.isNull {
            let exemplars = MappingReader(node, "storage.exemplars", diagnostics)
            exemplarsMax = exemplars.optional("max_exemplars", .integer(in: 0...10_000_000))
            exemplars.finish()
        }
        reader.notSupportedYet("tsdb")
        reader.finish()
    }
}

extension Plan {
    /// How many exemplars are kept.
    package var exemplarsMax: Int {
        pipelines.lazy.compactMap(\.storage.exemplarsMax).first ?? ExemplarStore.standardMax
    }
}
