import Actors
import ArgumentParser
import Streams

/// Bounds on silences and on the first notifications, under Alertmanager's names.
struct SilenceOptions: ParsableArguments {
    @Option(
        name: .customLong("silences.max-silences"),
        help: ArgumentHelp(
            "How many silences a pipeline may have, expired ones among them; 0: any number.", valueName: "count"))
    var countMax = Silences.Limits().countMax

    @Option(
        name: .customLong("silences.max-silence-size-bytes"),
        help: ArgumentHelp("How large one silence may be; 0: any size.", valueName: "bytes"))
    var sizeBytesMax = Silences.Limits().sizeBytesMax

    @Option(
        name: .customLong("silences.retention"),
        help: ArgumentHelp("How long a silence is remembered after its end.", valueName: "duration"))
    var retention = "120h"

    @Option(
        name: .customLong("dispatch.start-delay"),
        help: ArgumentHelp(
            "After a start nothing is notified for that long: time for the first alerts to come in.",
            valueName: "duration"))
    var startDelay = "0s"

    func limits() throws -> Silences.Limits {
        // As there, what is below 0 is no limit either.
        Silences.Limits(
            countMax: max(0, countMax), sizeBytesMax: max(0, sizeBytesMax),
            retention: try duration(retention, "silences.retention"))
    }

    func dispatchDelay() throws -> Duration { try duration(startDelay, "dispatch.start-delay") }

    private func duration(_ text: String, _ option: String) throws -> Duration {
        do throws(Duration.TextError) {
            return try Duration.parse(prometheus: text)
        } catch {
            throw ValidationError("--\(option): \(error)")
        }
    }
}
