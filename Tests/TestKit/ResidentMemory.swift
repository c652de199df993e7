import Foundation
import Glibc

/// How much memory a process has now, in bytes, as the kernel counts it.
package enum ResidentMemory {
    /// - Parameter process: its id; nil: this process.
    package static func bytes(of process: Int32? = nil) throws -> Int {
        try bytes("VmRSS", of: process)
    }

    /// The most that it has ever had.
    package static func peak(of process: Int32? = nil) throws -> Int {
        try bytes("VmHWM", of: process)
    }

    private static func bytes(_ name: String, of process: Int32?) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.map(String.init) ?? "self")/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix(name + ":") {
            if let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({
                Int($0)
            }) {
                return kibibytes << 10
            }
        }
        throw POSIXError(.EBADMSG)
    }
}
