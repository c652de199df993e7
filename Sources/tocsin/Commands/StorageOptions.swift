import ArgumentParser
import Storage
import Streams
import YAML

/// How much storage keeps.
struct StorageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("How long samples are kept; older ones are refused.", valueName: "duration"),
        transform: { try Self.retention($0) })
    var retention = Duration.seconds(24 * 3600)

    @Option(
        help: ArgumentHelp(
            "Memory for samples and their labels; beyond it the oldest samples go, whatever the retention.",
            valueName: "size"), transform: { try Self.size($0) })
    var memoryMax = ByteSize(bytes: StorageSettings().memoryBytesMax)

    var settings: StorageSettings {
        var settings = StorageSettings()
        settings.retention = retention
        settings.memoryBytesMax = memoryMax.bytes
        return settings
    }

    private static func retention(_ text: String) throws -> Duration {
        let duration: Duration
        do throws(Duration.TextError) {
            duration = try .parse(prometheus: text)
        } catch {
            throw ValidationError("\(error)")
        }
        guard duration >= .seconds(60) else { throw ValidationError("less than a minute is too short") }
        return duration
    }

    private static func size(_ text: String) throws -> ByteSize {
        guard let size = ByteSize(text) else {
            throw ValidationError("\(quoted(text)) is no size; write one such as 4GB")
        }
        guard size.bytes >= 16 << 20 else { throw ValidationError("less than 16MB is too little") }
        return size
    }
}
