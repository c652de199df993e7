import Glibc

// Prometheus and Alertmanager compare texts by their bytes, Swift by their letters: "é" as one scalar and as "e" with an
// accent behind it are one String and two label values. What tells series, alerts and groups apart uses these.

/// A text that is told from others by its bytes, for sets and dictionaries.
package struct ByteText: Hashable, Comparable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: Self, right: Self) -> Bool { left.text.hasSameBytes(as: right.text) }

    package static func < (left: Self, right: Self) -> Bool { left.text.precedesInBytes(right.text) }

    package func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }
}

extension String {
    /// Whether the two are the same UTF-8.
    package func hasSameBytes(as other: String) -> Bool {
        let count = utf8.count
        guard count == other.utf8.count else { return false }
        return withBytes(other) { memcmp($0, $1, count) == 0 } ?? utf8.elementsEqual(other.utf8)
    }

    /// Go's order of strings: by bytes.
    package func precedesInBytes(_ other: String) -> Bool {
        let (count, otherCount) = (utf8.count, other.utf8.count)
        return withBytes(other) { bytes, otherBytes in
            let order = memcmp(bytes, otherBytes, min(count, otherCount))
            return order == 0 ? count < otherCount : order < 0
        } ?? utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// Feeds the bytes, and an end that no UTF-8 has.
    package func hashBytes(into hasher: inout Hasher) {
        let isContiguous: Void? = utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isContiguous == nil { for byte in utf8 { hasher.combine(byte) } }
        hasher.combine(0xFF as UInt8)
    }

    /// Nil where one of the two does not lie in one piece.
    private func withBytes<Result>(
        _ other: String, _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Result
    ) -> Result? {
        let result = utf8.withContiguousStorageIfAvailable { bytes in
            other.utf8.withContiguousStorageIfAvailable { otherBytes -> Result? in
                guard let first = bytes.baseAddress, let second = otherBytes.baseAddress else { return nil }
                return body(first, second)
            }
        }
        return result.flatMap(\.self).flatMap(\.self)
    }
}
