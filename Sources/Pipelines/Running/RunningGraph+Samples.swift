import Logging
import Storage
import Streams

/// Samples over a proper restart: a file that is written last, read first, and gone once it was read.
///
/// It is removed because it is right only once. A server that is killed later would come back with samples of before its
/// last start: series that ended since would be there again, and their alerts too.
extension RunningGraph {
    private static let samplesFile = "samples.snapshot"

    /// Takes the samples that the last run left. What can't be read is told and left out.
    func readSamples() async {
        guard let folder = settings.dataFolder else { return }
        let path = "\(folder)/\(Self.samplesFile)"
        let start = ContinuousClock().now
        do throws(SnapshotFailure) {
            let read = try await ingest.readSnapshot(from: path, blocking: settings.blocking) { [stopping] in
                !stopping.isOpen && !Task.isCancelled
            }
            guard let read else {
                hasReadSamples = true
                return
            }
            // Nothing new came yet: the file is as good for the next start.
            if read.isAbandoned { return }
            tell(read, start.duration(to: ContinuousClock().now))
            let now = settings.clock.now()
            if read.time > now + store.settings.futureMax {
                // Nobody has a clock that is wrong for good: the samples are right again when it is.
                throw SnapshotFailure("they were kept at \(read.time.rfc3339), and the clock says \(now.rfc3339)")
            }
            try await SeriesStore.removeSnapshot(path, blocking: settings.blocking)
        } catch {
            await setAside(path, error)
        }
        hasReadSamples = true
    }

    private func tell(_ read: SnapshotRead, _ duration: Duration) {
        let (telemetry, logger) = (settings.telemetry, settings.logger)
        telemetry.gauge("tocsin_storage_snapshot_samples", help: "Samples taken from the last run.").set(
            Double(read.samples))
        telemetry.gauge(
            "tocsin_storage_snapshot_damaged_blocks", help: "Parts of the last run's samples that were damaged."
        ).set(Double(read.damaged + (read.isTruncated ? 1 : 0)))
        telemetry.gauge(
            "tocsin_storage_snapshot_read_seconds", help: "How long it took to take the samples of the last run."
        ).set(duration.inSeconds)
        var figures: Logger.Metadata = [
            "series": "\(read.series)", "samples": "\(read.samples)", "seconds": "\(Self.seconds(duration))",
        ]
        if read.dropped > 0 { figures["dropped"] = "\(read.dropped)" }
        logger.info("Samples of the last run were read.", metadata: figures)
        if read.damaged > 0 || read.isTruncated {
            logger.error(
                "Some samples of the last run are lost: their file is damaged.",
                metadata: ["damaged_blocks": "\(read.damaged)", "is_truncated": "\(read.isTruncated)"])
        }
        if read.isCut {
            logger.warning("Some samples of the last run are lost: there was no time to write them all.")
        }
        if read.refused > 0 {
            logger.error(
                "Some samples of the last run are lost: the store has no room for them.",
                metadata: ["series": "\(read.refused)"])
        }
    }

    /// To the millisecond.
    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeMilliseconds) / 1000 }

    private func setAside(_ path: String, _ failure: SnapshotFailure) async {
        let other = path + ".unusable"
        settings.logger.error(
            "Samples of the last run can't be used.", metadata: ["reason": "\(failure)", "kept_as": "\(other)"])
        do throws(SnapshotFailure) {
            try await SeriesStore.setSnapshotAside(path, as: other, blocking: settings.blocking)
        } catch {
            settings.logger.error(
                "A file of old samples stays, and the next start may take it.", metadata: ["reason": "\(error)"])
        }
    }

    /// Keeps the samples for the next start.
    func writeSamples() async {
        guard let folder = settings.dataFolder, hasReadSamples else { return }
        let (logger, clock) = (settings.logger, settings.clock)
        let start = ContinuousClock().now
        let deadline = clock.now() + settings.snapshotTimeout
        do throws(SnapshotFailure) {
            let written = try await store.writeSnapshot(
                to: "\(folder)/\(Self.samplesFile)", at: clock.now(), blocking: settings.blocking
            ) { clock.now() < deadline && !Task.isCancelled }
            let figures: Logger.Metadata = [
                "series": "\(written.series)", "samples": "\(written.samples)", "bytes": "\(written.bytes)",
                "seconds": "\(Self.seconds(start.duration(to: ContinuousClock().now)))",
            ]
            if written.isCut {
                logger.error("There was no time to keep all samples.", metadata: figures)
            } else {
                logger.info("Samples were kept.", metadata: figures)
            }
        } catch {
            logger.error("Samples were not kept.", metadata: ["reason": "\(error)"])
        }
    }
}
