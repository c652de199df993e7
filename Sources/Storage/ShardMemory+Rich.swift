import Streams

/// What few series have beside floats: native histograms, and start times. Their values lie in chunks as all do; a
/// histogram's value says which of the series' histograms it is.
extension ShardMemory {
    /// Adds a sample of a batch or series that has more than floats, or of a series that is about to be retired.
    mutating func appendRich(
        _ record: UnsafeMutablePointer<SeriesRecord>, _ columns: BatchPartition.Columns, _ position: Int
    ) -> SampleMemory.Outcome {
        revive(record)
        let time = columns.times[position]
        let value = Double(bitPattern: columns.values[position])
        let outcome: SampleMemory.Outcome
        if !value.isHistogram {
            outcome = samples.append(record, time, value.bitPattern)
        } else if value.histogramPlace < columns.histograms.count {
            outcome = append(columns.histograms[value.histogramPlace], record, time)
        } else {
            // Nobody may send this; if somebody does, it is a NaN like others.
            outcome = samples.append(record, time, StaleMarker.normalNaN.bitPattern)
        }
        let start = columns.starts?[position] ?? 0
        // The end of a series says nothing about its start.
        if value.isStaleMarker, start == 0 { return outcome }
        if outcome == .stored, start != 0 || record.pointee.flags.contains(.starts) {
            record.pointee.flags.insert(.starts)
            starts.note(start, at: time, of: record.pointee.id)
        }
        return outcome
    }

    mutating func append(
        _ histogram: NativeHistogram, _ record: UnsafeMutablePointer<SeriesRecord>, _ time: Int64
    ) -> SampleMemory.Outcome {
        let newest = record.pointee.newestTime
        let id = record.pointee.id
        guard time > newest else {
            if time < newest { return .outOfOrder }
            let value = record.pointee.newestValue
            let isSame =
                Double(bitPattern: value).isHistogram && histograms.isSame(histogram, as: value, of: id)
            return isSame ? .same : .duplicate
        }
        record.pointee.flags.insert(.histograms)
        return samples.append(record, time, histograms.append(histogram, at: time, to: id, &samples.memory))
    }

    // MARK: Dropping

    /// Drops what belongs to samples that were dropped.
    mutating func dropRich(_ record: UnsafeMutablePointer<SeriesRecord>) {
        let flags = record.pointee.flags
        if flags.isDisjoint(with: [.histograms, .starts]) { return }
        let oldest = record.pointee.hasSamples ? samples.oldestTime(record) : .max
        let id = record.pointee.id
        if flags.contains(.histograms),
            !histograms.drop(id, before: oldest, newest: record.pointee.newestValue, &samples.memory)
        {
            record.pointee.flags.remove(.histograms)
        }
        if flags.contains(.starts), !starts.drop(id, before: oldest) { record.pointee.flags.remove(.starts) }
    }

    /// Forgets a series that is retired.
    mutating func removeRich(_ record: UnsafeMutablePointer<SeriesRecord>) {
        let flags = record.pointee.flags
        if flags.contains(.histograms) { histograms.remove(record.pointee.id, &samples.memory) }
        if flags.contains(.starts) { starts.remove(record.pointee.id) }
    }

    // MARK: Reading

    /// Completes the samples from `place` on, which are those of one series, with its histograms and starts.
    func readRich(_ record: UnsafeMutablePointer<SeriesRecord>, from place: Int, into block: inout SeriesBlock) {
        let flags = record.pointee.flags
        let id = record.pointee.id
        if flags.contains(.histograms) {
            for index in place..<block.values.count where block.values[index].isHistogram {
                guard let histogram = histograms.histogram(block.values[index].bitPattern, of: id) else {
                    preconditionFailure("a histogram lives as long as the value that stands for it")
                }
                block.values[index] = .histogram(at: block.histograms.count)
                block.histograms.append(histogram)
            }
        }
        if flags.contains(.starts) {
            block.padStarts(to: place)
            starts.read(id, block.timestamps[place...], into: &block.starts)
        }
    }
}

extension SeriesBlock {
    mutating func padStarts(to count: Int) {
        if starts.count < count { starts += repeatElement(0, count: count - starts.count) }
    }
}
