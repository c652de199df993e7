import CSnappy
import CZlib
import Foundation
import ServerKit
import TestKit

let pushPipeline = """
    name: default
    sources:
      - push: {patience: 200ms, body_size_limit: 1MB, line_size_limit: 64KB, admin_api: true}
    rules:
      - alert: Failed
        expr: job_failed == 1
        labels: {severity: critical}
    routing: {route: {receiver: nobody}}
    sinks: [{name: nobody}]
    """

func gzip(_ bytes: [UInt8]) async throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "x")
    try Data(bytes).write(to: file)
    return try await TestProcess.output("gzip", ["-c", file.path])
}

func gunzip(_ bytes: [UInt8]) async throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "x.gz")
    try Data(bytes).write(to: file)
    return try await TestProcess.output("gzip", ["-dc", file.path])
}

/// A snappy block that holds its bytes as they are.
func snappy(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var length = bytes.count
    while length >= 0x80 {
        result.append(UInt8(length & 0x7F) | 0x80)
        length >>= 7
    }
    result.append(UInt8(length))
    var rest = bytes[...]
    while !rest.isEmpty {
        let piece = rest.prefix(60)
        result.append(UInt8(piece.count - 1) << 2)
        result += piece
        rest = rest.dropFirst(piece.count)
    }
    return result
}

/// A remote write request: a message of protobuf's.
struct RemoteWriteBody {
    private(set) var bytes: [UInt8] = []

    mutating func exemplar(
        _ labels: [(String, String)], _ own: [(String, String)], _ value: Double, _ time: Int64
    ) {
        var exemplar: [UInt8] = []
        for (name, value) in own { Self.block(1, Self.text(1, name) + Self.text(2, value), &exemplar) }
        exemplar.append(2 << 3 | 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { exemplar += $0 }
        exemplar.append(3 << 3)
        Self.varint(UInt64(bitPattern: time), &exemplar)
        var message: [UInt8] = []
        for (name, value) in labels { Self.block(1, Self.text(1, name) + Self.text(2, value), &message) }
        Self.block(3, exemplar, &message)
        Self.block(1, message, &bytes)
    }

    mutating func metadata(_ family: String, type: UInt8, help: String, unit: String) {
        Self.block(3, [1 << 3, type] + Self.text(2, family) + Self.text(4, help) + Self.text(5, unit), &bytes)
    }

    mutating func series(_ labels: [(String, String)], _ samples: [(Double, Int64)]) {
        var message: [UInt8] = []
        for (name, value) in labels {
            Self.block(1, Self.text(1, name) + Self.text(2, value), &message)
        }
        for (value, time) in samples {
            var sample: [UInt8] = [1 << 3 | 1]
            withUnsafeBytes(of: value.bitPattern.littleEndian) { sample += $0 }
            sample.append(2 << 3)
            Self.varint(UInt64(bitPattern: time), &sample)
            Self.block(2, sample, &message)
        }
        Self.block(1, message, &bytes)
    }

    private static func text(_ field: UInt8, _ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        block(field, Array(text.utf8), &bytes)
        return bytes
    }

    private static func block(_ field: UInt8, _ content: [UInt8], _ bytes: inout [UInt8]) {
        bytes.append(field << 3 | 2)
        varint(UInt64(content.count), &bytes)
        bytes += content
    }

    private static func varint(_ value: UInt64, _ bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }
}

extension TestServer {
    /// The value of an instant query that gives one series; nil when it gives none.
    func value(_ query: String) async throws -> Double? {
        let allowed = CharacterSet.alphanumerics
        let text = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        let answer = try await client.get("/api/v1/query?query=\(text)").json()
        let result = (answer["data"] as? NSDictionary)?["result"] as? [NSDictionary]
        return (result?.first?["value"] as? [Any]).flatMap { $0.last as? String }.flatMap { Double($0) }
    }
}
