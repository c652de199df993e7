import Glibc
import Streams

/// What the operating system says of this process, under the names that every Prometheus client uses.
enum ProcessReadings {
    static func collect(into telemetry: Telemetry, version: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let start = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
        telemetry.gauge(
            "tocsin_build_info", help: "Always 1; the labels tell the version.", labels: ["version": version]
        ).set(1)
        telemetry.collect { readings in
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let seconds =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
            readings.append(
                .init("process_cpu_seconds_total", .counter, help: "User and system CPU time spent.", value: seconds))
            readings.append(
                .init("process_start_time_seconds", .gauge, help: "When the process started.", value: start))
            if let resident = residentBytes() {
                readings.append(
                    .init("process_resident_memory_bytes", .gauge, help: "Resident memory.", value: resident))
            }
        }
    }

    /// The second number of `/proc/self/statm`, in pages.
    private static func residentBytes() -> Double? {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
}
