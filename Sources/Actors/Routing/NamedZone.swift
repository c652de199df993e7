import Streams
import Templates

/// A time zone by its name in the machine's zone database.
package struct NamedZone: Hashable, Sendable {
    package let name: String
    private let zone: Zone

    /// Nil where there is no such zone.
    package init?(named name: String) {
        guard let zone = Zone.load(name) else { return nil }
        self.name = name
        self.zone = zone
    }

    /// Seconds east of UTC at that time.
    func offsetSeconds(at time: Timestamp) -> Int64 { Int64(zone.offset(at: time.wholeSeconds).seconds) }

    package static func == (left: Self, right: Self) -> Bool { left.name == right.name }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
