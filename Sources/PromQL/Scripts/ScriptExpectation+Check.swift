import Streams

extension ScriptExpectation {
    func checkAnnotations(_ result: QueryResult, _ query: String) throws(Mismatch) {
        try check(result.warnings(in: query), warnings, forbidsWarnings, "warning", query)
        try check(result.infos(in: query), infos, forbidsInfos, "info", query)
    }

    private func check(
        _ found: [String], _ expected: [Text], _ isForbidden: Bool, _ kind: String, _ query: String
    ) throws(Mismatch) {
        if isForbidden, let first = found.first { throw Mismatch("\(query): unexpected \(kind): \(first)") }
        if expected.isEmpty { return }
        for text in expected where !found.contains(where: { text.accepts($0) }) {
            throw Mismatch("\(query): expected \(kind) \(text), found \(found)")
        }
        for message in found where !expected.contains(where: { $0.accepts(message) }) {
            throw Mismatch("\(query): unexpected \(kind): \(message)")
        }
    }

    func checkInstant(_ value: QueryValue, _ place: String) throws(Mismatch) {
        switch value {
        case .string(let text, _):
            guard text == string else { throw Mismatch("\(place): got the string \(quoted(text))") }
        case .scalar(let value, _): try checkScalar(value, place)
        case .vector(let samples): try checkVector(samples, place)
        case .matrix:
            guard let (from, step) = rangeVector else { throw Mismatch("\(place): got a range vector") }
            try checkMatrix(value, from: from, step: step, place)
        }
    }

    private func checkScalar(_ value: Double, _ place: String) throws(Mismatch) {
        guard let scalar else { throw Mismatch("\(place): got the scalar \(value)") }
        guard Self.areAlmostEqual(value, scalar) else {
            throw Mismatch("\(place): expected \(scalar), got \(value)")
        }
    }

    private func checkVector(_ samples: [VectorSample], _ place: String) throws(Mismatch) {
        if scalar != nil || string != nil || rangeVector != nil { throw Mismatch("\(place): got an instant vector") }
        var seen: Set<LabelSet> = []
        for (index, sample) in samples.enumerated() {
            guard seen.insert(sample.labels).inserted else { throw Mismatch("\(place): \(sample.labels) comes twice") }
            guard let wanted = series.firstIndex(where: { $0.labels == sample.labels }) else {
                throw Mismatch("\(place): unexpected \(sample.labels) \(sample.notation)")
            }
            if isOrdered, wanted != index {
                throw Mismatch("\(place): \(sample.labels) is number \(index + 1), not \(wanted + 1)")
            }
            guard let expected = series[wanted].values.first, Self.isAlmost(expected, sample) else {
                throw Mismatch(
                    "\(place): expected \(series[wanted].values) for \(sample.labels), got \(sample.notation)")
            }
        }
        if let missing = series.first(where: { !seen.contains($0.labels) }) {
            throw Mismatch("\(place): missing \(missing.labels) \(missing.values)")
        }
    }

    /// The step at `time` of a range query must be what the instant query gave.
    func checkMiddle(
        _ value: QueryValue, of instant: QueryValue, at time: Timestamp, _ place: String
    ) throws(Mismatch) {
        guard case .matrix(let matrix) = value else { throw Mismatch("\(place): a range query gave no matrix") }
        var samples: [VectorSample] = []
        for series in matrix {
            guard let index = series.timestamps.firstIndex(of: time.milliseconds) else { continue }
            samples.append(series.sample(index))
        }
        let place = "\(place) as a range query"
        if case .scalar = instant {
            guard let first = samples.first else { throw Mismatch("\(place): no value") }
            try checkScalar(first.value, place)
        } else {
            try checkVector(samples, place)
        }
    }

    func checkMatrix(
        _ value: QueryValue, from: Timestamp, step: Duration, _ place: String
    ) throws(Mismatch) {
        guard case .matrix(let matrix) = value else { throw Mismatch("\(place): got no range vector") }
        for (one, next) in zip(matrix, matrix.dropFirst()) where !one.labels.precedes(next.labels) {
            throw Mismatch("\(place): \(next.labels) should come before \(one.labels)")
        }
        for result in matrix {
            guard let wanted = series.first(where: { $0.labels == result.labels }) else {
                throw Mismatch("\(place): unexpected \(result.labels) \(result.values)")
            }
            try check(result, wanted, from: from, step: step, place)
        }
        if let missing = series.first(where: { one in !matrix.contains { $0.labels == one.labels } }) {
            throw Mismatch("\(place): missing \(missing.labels)")
        }
    }

    private func check(
        _ result: SeriesSamples, _ wanted: SeriesNotation, from: Timestamp, step: Duration, _ place: String
    ) throws(Mismatch) {
        var expected: [(time: Int64, value: SeriesNotation.Value)] = []
        for (index, value) in wanted.values.enumerated() where value != .omitted {
            expected.append((from.milliseconds + Int64(index) * step.wholeMilliseconds, value))
        }
        let found = result.timestamps.indices.map { result.sample($0) }
        let isEqual =
            expected.count == found.count
            && zip(expected, found).allSatisfy {
                $0.time == $1.timestamp.milliseconds && Self.isAlmost($0.value, $1)
            }
        if isEqual { return }
        let foundText = found.map { "\($0.notation)@\($0.timestamp.milliseconds)" }.joined(separator: " ")
        let wantedText = expected.map { "\($0.value)@\($0.time)" }.joined(separator: " ")
        throw Mismatch("\(place): for \(result.labels) expected \(wantedText), got \(foundText)")
    }

    private static func isAlmost(_ expected: SeriesNotation.Value, _ sample: VectorSample) -> Bool {
        switch expected {
        case .float(let value): sample.histogram == nil && areAlmostEqual(sample.value, value)
        case .histogram(let literal): sample.histogram.map { areAlmostEqual($0, literal) } ?? false
        case .omitted, .stale: false
        }
    }

    /// The same buckets with observations, and nearly the same numbers; hints count where one is expected.
    private static func areAlmostEqual(_ found: NativeHistogram, _ expected: HistogramLiteral) -> Bool {
        let wanted = expected.histogram.compacted()
        let found = found.compacted()
        func areEqual(_ left: NativeHistogram.Buckets, _ right: NativeHistogram.Buckets) -> Bool {
            left.indices == right.indices && zip(left.counts, right.counts).allSatisfy(areAlmostEqual)
        }
        if expected.hasCounterResetHint, found.counterResetHint != wanted.counterResetHint { return false }
        return found.schema == wanted.schema && areAlmostEqual(found.count, wanted.count)
            && areAlmostEqual(found.sum, wanted.sum) && areAlmostEqual(found.zeroCount, wanted.zeroCount)
            && found.zeroThreshold == wanted.zeroThreshold && found.customBounds == wanted.customBounds
            && areEqual(found.positive, wanted.positive) && areEqual(found.negative, wanted.negative)
    }

    /// Equal to a millionth; stale markers, other NaNs and numbers each among themselves.
    static func areAlmostEqual(_ left: Double, _ right: Double) -> Bool {
        if left.isStaleMarker || right.isStaleMarker { return left.isStaleMarker && right.isStaleMarker }
        if left.isNaN, right.isNaN { return true }
        if left == right { return true }
        let tolerance = 1e-6
        let sum = abs(left) + abs(right)
        let difference = abs(left - right)
        if left == 0 || right == 0 || sum < Double.leastNormalMagnitude {
            return difference < tolerance * Double.leastNormalMagnitude
        }
        return difference / min(sum, Double.greatestFiniteMagnitude) < tolerance
    }
}

extension ScriptExpectation.Text: CustomStringConvertible {
    package var description: String {
        switch self {
        case .any: "of any text"
        case .equal(let text): quoted(text)
        case .matching(let expression): "matching \(quoted(expression.pattern))"
        }
    }
}

extension VectorSample {
    fileprivate var notation: String { histogram?.notation ?? formatFloat(value, .fixed) }
}

extension SeriesSamples {
    /// One of its samples by itself.
    fileprivate func sample(_ index: Int) -> VectorSample {
        let time = Timestamp(milliseconds: timestamps[index])
        if values[index].isHistogram {
            return VectorSample(labels: labels, histogram: histograms[values[index].histogramPlace], timestamp: time)
        }
        return VectorSample(labels: labels, value: values[index], timestamp: time)
    }
}
