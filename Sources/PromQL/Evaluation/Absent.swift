import Streams

/// The mark of a step at which a series has no value: the bits of a stale marker, which never is a value of an
/// expression, since no selector lets one through and arithmetic gives quiet NaNs only.
enum Absent {
    @inline(__always)
    static var value: Double { Double(bitPattern: StaleMarker.bits) }
}

extension Double {
    /// Whether there is no value here.
    @inline(__always)
    var isAbsent: Bool { bitPattern == StaleMarker.bits }
    @inline(__always)
    var isPresent: Bool { bitPattern != StaleMarker.bits }
}
