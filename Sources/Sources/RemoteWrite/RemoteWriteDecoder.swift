/// Why a remote write request was not taken.
package struct RemoteWriteError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Of a content type or encoding that is not read: HTTP 415.
        case unsupportedType
        /// Larger than a bound: HTTP 413.
        case tooLarge
        /// Anything else that is wrong with it: HTTP 400, so the sender does not send it again.
        case malformed
    }
    package let kind: Kind
    package let reason: String

    package var status: Int {
        switch kind {
        case .unsupportedType: 415
        case .tooLarge: 413
        case .malformed: 400
        }
    }
    package var description: String { reason }
}

/// Reads Prometheus remote write 1.0: a snappy block of protobuf `prometheus.WriteRequest`.
///
/// A known series costs a hash of its encoded labels, not a decoding of them.
package struct RemoteWriteDecoder: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Of the request before and after decompression.
        package var bodyBytesMax: Int
        package var decompressedBytesMax: Int

        package init(bodyBytesMax: Int = 32 << 20, decompressedBytesMax: Int = 64 << 20) {
            self.bodyBytesMax = bodyBytesMax
            self.decompressedBytesMax = decompressedBytesMax
        }
    }

    /// What a request brought.
    package struct Request: Sendable {
        package var batch = UnresolvedBatch()
        package var metadata: [MetricMetadata] = []
        package var exemplars = 0
    }

    private let settings: Settings
    private let cache: SeriesCache

    package init(cache: SeriesCache, settings: Settings = Settings()) {
        self.cache = cache
        self.settings = settings
    }

    /// Whether a request with these headers is read at all.
    /// - Throws: `.unsupportedType` for remote write 2.0 and for encodings other than snappy.
    package static func check(contentType: String?, contentEncoding: String?) throws(RemoteWriteError) {}

    /// - Parameter body: the compressed bytes.
    package func decode(_ body: UnsafeRawBufferPointer) throws(RemoteWriteError) -> Request {
        throw RemoteWriteError(kind: .malformed, reason: "remote write is not read yet")
    }
}
