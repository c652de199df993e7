internal import PromQL
internal import Storage
internal import Streams
internal import YAML

/// The input series of a test, made readable as its time goes on: a rule never sees a sample of the future.
struct RuleTestInput {
    struct Failure: Error {
        var location: SourceLocation
        var reason: String
    }

    private struct Column {
        var labels: LabelSet
        var location: SourceLocation
        var values: [SeriesNotation.Value]
        var id: SeriesID?
        /// The histogram before, unless the series ended or had a float in between.
        var previous: NativeHistogram?

        /// What Prometheus's storage knows of resets of the counter when it is read: nothing of the first histogram.
        mutating func hinted(_ histogram: NativeHistogram) -> NativeHistogram {
            var result = histogram
            if histogram.counterResetHint != .gauge, histogram.counterResetHint != .reset {
                result.counterResetHint =
                    previous.map { histogram.isReset(after: $0) ? .reset : .notReset } ?? .unknown
            }
            previous = histogram
            return result
        }
    }

    private let start: Timestamp
    private let interval: Duration
    private var columns: [Column]
    /// The first step that is not loaded.
    private var next = 0
    private let end: Int

    /// Reads the notation of all series; of equal ones the last counts.
    init(_ test: RuleTest) throws(RuleTestRun.Unplayable) {
        var failures: [RuleTestFailure] = []
        var places: [LabelSet: Int] = [:]
        var columns: [Column] = []
        for series in test.series {
            do throws(Failure) {
                let column = try Self.read(series)
                if let place = places[column.labels] {
                    columns[place] = column
                } else {
                    places[column.labels] = columns.count
                    columns.append(column)
                }
            } catch {
                failures.append(
                    RuleTestFailure(error.location, "test \(quoted(test.title)): bad input series: \(error.reason)", [])
                )
            }
        }
        if !failures.isEmpty { throw RuleTestRun.Unplayable(failures: failures) }
        start = test.start
        interval = test.interval
        self.columns = columns
        end = columns.map(\.values.count).max() ?? 0
    }

    private static func read(_ series: RuleTest.Series) throws(Failure) -> Column {
        let labels = series.labels.value
        do throws(ParseError) {
            let notation = try PromQLParser.parseSeriesNotation(labels + " " + (series.values?.value ?? ""))
            return Column(labels: notation.labels, location: series.labels.location, values: notation.values)
        } catch {
            let offset = error.place.start
            let isInValues = offset > labels.utf8.count
            let node = isInValues ? series.values?.node ?? series.labels.node : series.labels.node
            throw Failure(
                location: node.location(ofByte: isInValues ? offset - labels.utf8.count - 1 : offset),
                reason: error.message)
        }
    }

    /// - Parameter elapsed: how far from the start.
    mutating func load(
        through elapsed: Duration, into ingest: StoreIngest
    ) async throws(Failure) {
        let last = min(end, Int(elapsed.wholeMilliseconds / max(1, interval.wholeMilliseconds)) + 1)
        guard next < last else { return }
        if next == 0 { try await intern(ingest) }
        while next < last {
            try await load(step: next, into: ingest)
            next += 1
        }
    }

    private mutating func intern(_ ingest: StoreIngest) async throws(Failure) {
        do throws(IngestError) {
            for (place, id) in try await ingest.intern(columns.map(\.labels)).enumerated() { columns[place].id = id }
        } catch {
            throw Failure(location: columns[0].location, reason: "the series can't be kept: \(error)")
        }
    }

    private mutating func load(step: Int, into ingest: StoreIngest) async throws(Failure) {
        let time = start.milliseconds + Int64(step) * interval.wholeMilliseconds
        var batch = SampleBatch()
        batch.reserveCapacity(columns.count)
        for place in columns.indices where step < columns[place].values.count {
            guard let id = columns[place].id else { continue }
            switch columns[place].values[step] {
            case .omitted: break
            case .stale:
                columns[place].previous = nil
                batch.append(id, at: time, StaleMarker.value)
            case .float(let value):
                columns[place].previous = nil
                batch.append(id, at: time, value)
            case .histogram(let literal):
                if let flaw = literal.histogram.flaw { throw Failure(location: columns[place].location, reason: flaw) }
                batch.append(id, at: time, columns[place].hinted(literal.histogram))
            }
        }
        if batch.isEmpty { return }
        do throws(IngestError) {
            let report = try await ingest.submit(batch, from: "input", patience: .zero)
            if report.refused > 0, let first = columns.first {
                throw IngestError.limit("a rule writes the same series as the input (\(first.labels.name ?? ""))")
            }
        } catch {
            throw Failure(location: columns[0].location, reason: "the samples can't be kept: \(error)")
        }
    }
}
