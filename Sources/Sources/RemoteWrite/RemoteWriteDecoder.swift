import CSnappy
import Streams

/// Why a remote write request was not taken. Nothing of it is used.
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

    package init(kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The HTTP status that answers it.
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
/// A known series costs a hash of its encoded labels, not a decoding of them. Series must have a name, and each label name
/// once; labels need not be sorted. Native histograms must hold together, as Prometheus asks of them.
package struct RemoteWriteDecoder: Sendable {
    package struct Settings: Sendable, Equatable {
        /// Of the request as it is sent.
        package var bodyBytesMax: Int
        /// After decompression; checked before memory is taken for it.
        package var decompressedBytesMax: Int
        /// Samples, series, exemplars and metadata of one request, together; a native histogram counts as one for each 128 bytes.
        package var samplesMax: Int

        package init(
            bodyBytesMax: Int = 32 << 20, decompressedBytesMax: Int = 64 << 20, samplesMax: Int = 1_000_000
        ) {
            self.bodyBytesMax = bodyBytesMax
            self.decompressedBytesMax = decompressedBytesMax
            self.samplesMax = samplesMax
        }
    }

    /// What a request brought.
    package struct Request: Sendable {
        package var batch = UnresolvedBatch()
    }

    private let settings: Settings
    private let cache: SeriesCache
    private let context: UInt64

    /// - Parameter context: tells apart requests in which the same labels stand for different series; 0 for none.
    package init(cache: SeriesCache, context: UInt64 = 0, settings: Settings = Settings()) {
        self.cache = cache
        self.context = context
        self.settings = settings
    }

    /// Whether a request with these headers is read at all. Without headers it is taken for remote write 1.0.
    /// - Throws: `.unsupportedType` for remote write 2.0, other content types, and encodings other than snappy.
    package static func check(contentType: String?, contentEncoding: String?) throws(RemoteWriteError) {
        let parts = (contentType ?? "").split(separator: ";").map { $0.trimmingBlanks() }
        if let type = parts.first {
            guard type.lowercased() == "application/x-protobuf" else {
                throw RemoteWriteError(
                    kind: .unsupportedType,
                    reason: "the content type \(excerpt(type)) is not read; send application/x-protobuf")
            }
            for parameter in parts.dropFirst() where parameter.hasPrefix("proto=") {
                let message = parameter.dropFirst("proto=".count)
                if message == "prometheus.WriteRequest" { continue }
                let version = message == "io.prometheus.write.v2.Request" ? "remote write 2.0" : "the message"
                throw RemoteWriteError(
                    kind: .unsupportedType,
                    reason: "\(version) (\(excerpt(message))) is not supported yet; send prometheus.WriteRequest")
            }
        }
        let encoding = (contentEncoding ?? "").trimmingBlanks().lowercased()
        guard encoding.isEmpty || encoding == "snappy" else {
            throw RemoteWriteError(
                kind: .unsupportedType, reason: "the content encoding \(excerpt(encoding)) is not read; send snappy")
        }
    }

    /// Reads a request.
    /// - Parameter body: the compressed bytes.
    package func decode(_ body: UnsafeRawBufferPointer) throws(RemoteWriteError) -> Request {
        if body.count > settings.bodyBytesMax {
            throw RemoteWriteError(
                kind: .tooLarge, reason: "the request has more than \(settings.bodyBytesMax) bytes")
        }
        var length = 0
        guard let address = body.baseAddress,
            snappy_uncompressed_length(address.assumingMemoryBound(to: CChar.self), body.count, &length) == SNAPPY_OK
        else {
            throw RemoteWriteError(kind: .malformed, reason: "the body is not snappy's block format")
        }
        if length > settings.decompressedBytesMax {
            throw RemoteWriteError(
                kind: .tooLarge,
                reason: "the request decompresses to more than \(settings.decompressedBytesMax) bytes")
        }
        let message = UnsafeMutableRawBufferPointer.allocate(byteCount: length + 64, alignment: 16)
        defer { message.deallocate() }
        var written = length
        guard let target = message.baseAddress,
            snappy_uncompress(
                address.assumingMemoryBound(to: CChar.self), body.count, target.assumingMemoryBound(to: CChar.self),
                &written) == SNAPPY_OK
        else {
            throw RemoteWriteError(kind: .malformed, reason: "the body is not snappy's block format")
        }
        return try decode(message: UnsafeRawBufferPointer(rebasing: message[..<written]))
    }

    /// Reads a request that is not compressed.
    package func decode(message: UnsafeRawBufferPointer) throws(RemoteWriteError) -> Request {
        var pass = RemoteWritePass(cache: cache, context: context, samplesMax: settings.samplesMax)
        do throws(ProtobufReader.Malformed) {
            try pass.read(message)
        } catch {
            throw RemoteWriteError(kind: pass.isTooLarge ? .tooLarge : .malformed, reason: error.reason)
        }
        return pass.request
    }
}
