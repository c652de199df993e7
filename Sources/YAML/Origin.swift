/// Where a setting was written, beside settings that are compared: two origins are always equal, so that moving a rule to
/// another line changes nothing about it.
package struct Origin: Hashable, Sendable {
    package let location: SourceLocation

    package init(_ location: SourceLocation) { self.location = location }

    package static func == (left: Origin, right: Origin) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
}
