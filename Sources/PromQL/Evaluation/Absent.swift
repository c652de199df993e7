/// The mark of a step at which a series has no value: the bits of a stale marker, which never is a value of an
/// expression, since no selector lets one through and arithmetic gives quiet NaNs only.
enum Absent {
    @inline(__always)
    static var value: Double { Double(bitPattern: 0x7FF0_0000_0000_0002) }
}

extension Double {
    /// Whether there is no value here.
    @inline(__always)
    var isAbsent: Bool { bitPattern == 0x7FF0_0000_0000_0002 }
    @inline(__always)
    var isPresent: Bool { bitPattern != 0x7FF0_0000_0000_0002 }
}
