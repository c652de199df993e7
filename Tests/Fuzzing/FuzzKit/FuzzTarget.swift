/// A part of the program that takes any input: what it may not do with it.
package protocol FuzzTarget: Sendable {
    var name: String { get }

    /// Feeds the input. Besides crashing and hanging, what is told here is wrong.
    func check(_ input: [UInt8]) async throws(FuzzFinding)
}

/// An input that showed a fault.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// All there are, by name.
package enum FuzzTargets {
    package static let all: [any FuzzTarget] = [ParseTarget(), EvaluateTarget()]

    package static func named(_ name: String) -> (any FuzzTarget)? { all.first { $0.name == name } }
}
