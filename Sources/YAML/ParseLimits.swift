/// Bounds on one file, so that no file can take the program down.
package struct ParseLimits: Sendable, Equatable {
    package var sizeBytesMax: Int
    /// Nodes of the tree with every alias followed: what an alias bomb multiplies.
    package var nodesMax: Int
    package var depthMax: Int
    /// Bytes that values of the environment may add to one file.
    package var interpolatedBytesMax: Int

    package init(sizeBytesMax: Int, nodesMax: Int, depthMax: Int, interpolatedBytesMax: Int) {
        self.sizeBytesMax = sizeBytesMax
        self.nodesMax = nodesMax
        self.depthMax = depthMax
        self.interpolatedBytesMax = interpolatedBytesMax
    }

    package static let standard = ParseLimits(
        sizeBytesMax: 16 << 20, nodesMax: 1_000_000, depthMax: 100, interpolatedBytesMax: 16 << 20)
}
