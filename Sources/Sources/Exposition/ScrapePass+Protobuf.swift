import Streams

/// Protobuf as a scrape may be answered with it: `io.prometheus.client.MetricFamily` messages (client_model's
/// metrics.proto), each behind its length. What becomes of them is what Prometheus makes of them.
///
/// A series is known by its encoded labels, with the name before them and what tells the samples of one metric apart
/// behind them. Exemplars are counted.
extension ScrapePass {
    private struct Family {
        var name = ""
        var help: String?
        var unit: String?
        var type = MetricType.counter
        var metrics: [UnsafeRawBufferPointer] = []
    }

    /// A series of a metric: the suffix of its name, and maybe a label of its own.
    fileprivate struct Part {
        var suffix = ""
        var label: Label?
    }

    /// What is the same for all samples of one metric.
    private struct Metric {
        /// The label fields, as encoded.
        var labels: [UInt8] = []
        var timestamp: Int64?
        var value: UnsafeRawBufferPointer?
        var field: UInt64 = 0
    }

    mutating func runProtobuf(
        _ body: UnsafeRawBufferPointer, _ known: inout KnownLines, into batch: inout SampleBatch
    ) throws(ExpositionError) {
        var reader = ProtobufReader(body)
        var number = 0
        while !reader.isAtEnd {
            number += 1
            do throws(ProtobufReader.Malformed) {
                let family = try Self.family(try reader.block())
                try take(family, &known, &batch)
            } catch {
                throw ExpositionError(.syntax, line: 0, "metric family \(number): \(error.reason)")
            }
        }
        flush(&batch)
    }

    private static func family(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> Family {
        var family = Family()
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch tag.field {
            case 1: family.name = try reader.text(tag)
            case 2: family.help = try reader.text(tag)
            case 3 where tag.wire == 0: family.type = try type(try reader.varint())
            case 4: family.metrics.append(try reader.block(tag))
            case 5: family.unit = try reader.text(tag)
            default: try reader.skip(tag.wire)
            }
        }
        if family.name.isEmpty { throw ProtobufReader.Malformed(reason: "it has no name") }
        return family
    }

    private static func type(_ number: UInt64) throws(ProtobufReader.Malformed) -> MetricType {
        switch number {
        case 0: return .counter
        case 1: return .gauge
        case 2: return .summary
        case 3: return .unknown
        case 4: return .histogram
        case 5: return .gaugeHistogram
        default: throw ProtobufReader.Malformed(reason: "it has the unknown type \(number)")
        }
    }

    private mutating func take(
        _ family: Family, _ known: inout KnownLines, _ batch: inout SampleBatch
    ) throws(ProtobufReader.Malformed) {
        try tell(family, &known)
        for message in family.metrics {
            let metric = try Self.metric(message)
            guard let value = metric.value else { throw ProtobufReader.Malformed(reason: "a metric has no value") }
            switch (family.type, metric.field) {
            case (.gauge, 2), (.counter, 3), (.unknown, 5):
                try takeSimple(value, family, metric, &known, &batch)
            case (.summary, 4): try takeSummary(value, family, metric, &known, &batch)
            case (.histogram, 7), (.gaugeHistogram, 7): try takeHistogram(value, family, metric, &known, &batch)
            default:
                throw ProtobufReader.Malformed(reason: "a metric's value is not of the family's type")
            }
        }
    }

    private static func metric(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> Metric {
        var metric = Metric()
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let start = reader.position
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 2):
                _ = try reader.block()
                metric.labels += message[start..<reader.position]
            case (2...5, 2), (7, 2):
                metric.value = try reader.block()
                metric.field = tag.field
            case (6, 0):
                let time = Int64(bitPattern: try reader.varint())
                metric.timestamp = time == 0 ? nil : time
            default: try reader.skip(tag.wire)
            }
        }
        return metric
    }

    // MARK: Samples

    private mutating func takeSimple(
        _ message: UnsafeRawBufferPointer, _ family: Family, _ metric: Metric, _ known: inout KnownLines,
        _ batch: inout SampleBatch
    ) throws(ProtobufReader.Malformed) {
        var value = 0.0
        var start: Int64 = 0
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 1): value = try reader.double()
            case (2, 2) where family.type == .counter:
                counts.exemplars += 1
                try reader.skip(tag.wire)
            case (3, 2) where family.type == .counter: start = try reader.timestamp()
            default: try reader.skip(tag.wire)
            }
        }
        try add(value, Part(), start, family, metric, &known, &batch)
    }

    private mutating func takeSummary(
        _ message: UnsafeRawBufferPointer, _ family: Family, _ metric: Metric, _ known: inout KnownLines,
        _ batch: inout SampleBatch
    ) throws(ProtobufReader.Malformed) {
        var count = 0.0
        var sum = 0.0
        var start: Int64 = 0
        var quantiles: [(Double, Double)] = []
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 0): count = Double(try reader.varint())
            case (2, 1): sum = try reader.double()
            case (3, 2): quantiles.append(try Self.pair(try reader.block()))
            case (4, 2): start = try reader.timestamp()
            default: try reader.skip(tag.wire)
            }
        }
        try add(count, Part(suffix: "_count"), start, family, metric, &known, &batch)
        try add(sum, Part(suffix: "_sum"), start, family, metric, &known, &batch)
        for (quantile, value) in quantiles {
            let label = Label("quantile", ExpositionReader.openMetricsText(quantile))
            try add(value, Part(label: label), start, family, metric, &known, &batch)
        }
    }

    private static func pair(_ message: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> (Double, Double) {
        var pair = (0.0, 0.0)
        var reader = ProtobufReader(message)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            switch (tag.field, tag.wire) {
            case (1, 1): pair.0 = try reader.double()
            case (2, 1): pair.1 = try reader.double()
            default: try reader.skip(tag.wire)
            }
        }
        return pair
    }

    private mutating func takeHistogram(
        _ message: UnsafeRawBufferPointer, _ family: Family, _ metric: Metric, _ known: inout KnownLines,
        _ batch: inout SampleBatch
    ) throws(ProtobufReader.Malformed) {
        let histogram = try ExposedHistogram(message)
        counts.exemplars += histogram.exemplars
        let isNative = settings.takesNativeHistograms && histogram.isNative
        if isNative {
            let native = try histogram.checkedNative(isGauge: family.type == .gaugeHistogram)
            try add(batch.hold(native), Part(), histogram.start, family, metric, &known, &batch)
        }
        guard !isNative || (settings.alwaysTakesClassicHistograms && !histogram.buckets.isEmpty) else { return }
        let start = histogram.start
        try add(histogram.count, Part(suffix: "_count"), start, family, metric, &known, &batch)
        try add(histogram.sum, Part(suffix: "_sum"), start, family, metric, &known, &batch)
        var hasInfinite = false
        for bucket in histogram.buckets {
            if bucket.bound == .infinity { hasInfinite = true }
            try add(bucket.count, .bucket(bucket.bound), start, family, metric, &known, &batch)
        }
        if !hasInfinite { try add(histogram.count, .bucket(.infinity), start, family, metric, &known, &batch) }
    }

    private mutating func add(
        _ value: Double, _ part: Part, _ start: Int64, _ family: Family, _ metric: Metric, _ known: inout KnownLines,
        _ batch: inout SampleBatch
    ) throws(ProtobufReader.Malformed) {
        var key = Array(family.name.utf8)
        key += part.suffix.utf8
        key.append(0xFF)
        key += metric.labels
        if let label = part.label {
            key.append(0xFF)
            key += label.name.utf8
            key.append(0xFF)
            key += label.value.utf8
        }
        var index = KnownLines.none
        let hash = key.withUnsafeBytes { bytes in
            let hash = known.hash(bytes)
            index = known.find(bytes, hash: hash)
            return hash
        }
        if index == KnownLines.none {
            let labels = try Self.labels(family.name + part.suffix, metric, part.label)
            index = try insert(key, hash, KnownLines.pending, &known)
            unknownPlaces.append(Int32(unknown.count))
            unknown.append(labels.set)
            if !labels.empty.isEmpty { emptyLabels[unknown.count - 1] = labels.empty }
            unknownLines.append(index)
        }
        record(index, known.lines + Int(index), value, metric.timestamp, &batch)
        if start != 0 { toldStarts.append((index, start)) }
    }

    private func insert(
        _ key: [UInt8], _ hash: UInt64, _ id: UInt32, _ known: inout KnownLines
    ) throws(ProtobufReader.Malformed) -> UInt32 {
        guard let index = key.withUnsafeBytes({ known.insert($0, hash: hash, id: id) }) else {
            throw ProtobufReader.Malformed(reason: "the target's series take more than 4 GiB of text")
        }
        return index
    }

    /// - Throws: for what no storage takes: a label name twice or empty, text that is no UTF-8.
    private static func labels(
        _ name: String, _ metric: Metric, _ own: Label?
    ) throws(ProtobufReader.Malformed) -> (set: LabelSet, empty: [String]) {
        var labels = [Label(LabelSet.metricName, name)]
        if let own { labels.append(own) }
        try metric.labels.withUnsafeBytesOfBlock { bytes throws(ProtobufReader.Malformed) in
            var reader = ProtobufReader(bytes)
            while !reader.isAtEnd {
                _ = try reader.tag()
                labels.append(try RemoteWritePass.label(try reader.block()))
            }
        }
        labels.sort { $0.name < $1.name }
        if labels.contains(where: \.name.isEmpty) {
            throw ProtobufReader.Malformed(reason: "a label has an empty name")
        }
        for index in labels.indices.dropFirst() where labels[index - 1].name == labels[index].name {
            throw ProtobufReader.Malformed(reason: "the label name \(excerpt(labels[index].name)) is not unique")
        }
        let empty = labels.filter(\.value.isEmpty).map(\.name)
        labels.removeAll { $0.value.isEmpty }
        return (LabelSet(sorted: labels), empty)
    }

    // MARK: Metadata

    /// Notes what the family says about itself, as lines of text would: what was said before is not told again.
    private mutating func tell(_ family: Family, _ known: inout KnownLines) throws(ProtobufReader.Malformed) {
        let isClassic = LabelSet.isLegacyMetricName(family.name)
        let name = isClassic ? family.name : quoted(family.name)
        try tell(
            MetricMetadata(family: family.name, fact: .type(family.type)),
            "# TYPE \(name) \(family.type.rawValue)\n", &known)
        if let help = family.help, !help.isEmpty {
            let text = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
            try tell(MetricMetadata(family: family.name, fact: .help(help)), "# HELP \(name) \(text)\n", &known)
        }
        if let unit = family.unit, !unit.isEmpty {
            try tell(MetricMetadata(family: family.name, fact: .unit(unit)), "# UNIT \(name) \(unit)\n", &known)
        }
    }

    private mutating func tell(
        _ fact: MetricMetadata, _ line: String, _ known: inout KnownLines
    ) throws(ProtobufReader.Malformed) {
        let key = Array(line.utf8)
        var index = KnownLines.none
        let hash = key.withUnsafeBytes { bytes in
            let hash = known.hash(bytes)
            index = known.find(bytes, hash: hash)
            return hash
        }
        if index == KnownLines.none {
            index = try insert(key, hash, KnownLines.metadataLine, &known)
            unknownPlaces.append(-1)
            metadata.append(fact)
        }
        see(known.lines + Int(index))
    }
}

extension ScrapePass.Part {
    fileprivate static func bucket(_ bound: Double) -> Self {
        Self(suffix: "_bucket", label: Label("le", ExpositionReader.openMetricsText(bound)))
    }
}
