internal import PromQL
internal import Storage
internal import Streams
internal import YAML

/// An element that an expression gives, or should.
struct RuleTestSample: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case float(Double)
        /// In series notation.
        case histogram(String)
    }

    var labels: LabelSet
    var value: Value
}

extension RuleTestRun {
    private struct Wrong: Error {
        var location: SourceLocation
        var reason: String
    }

    /// Asks the expression, and tells how the answer differs; nil where it does not.
    func failure(of check: RuleTest.ExpressionCheck) async -> RuleTestFailure? {
        let subject =
            "test \(quoted(test.title)): \(check.expression.value.oneLine) at \(check.time.prometheusText)"
        do throws(Wrong) {
            let found = try await answer(to: check)
            var expected: [RuleTestSample] = []
            for sample in check.expected { expected.append(try read(sample)) }
            let details = RuleTestDifference.lines(expected: expected, found: found, isFuzzy: isFuzzy)
            return details.isEmpty ? nil : RuleTestFailure(check.location, "\(subject) is not as expected", details)
        } catch {
            return RuleTestFailure(error.location, "\(subject): \(error.reason)", [])
        }
    }

    private func answer(to check: RuleTest.ExpressionCheck) async throws(Wrong) -> [RuleTestSample] {
        let expression: Expression
        do throws(ParseError) {
            expression = try PromQLParser.parse(check.expression.value, options: settings.language)
        } catch {
            throw Wrong(
                location: check.expression.node.location(ofByte: error.place.start), reason: error.message)
        }
        do throws(EvaluationError) {
            let value = try await evaluator.instant(expression, at: test.start + check.time).value
            switch value {
            case .vector(let samples): return samples.map(RuleTestSample.init)
            case .scalar(let value, _): return [RuleTestSample(labels: LabelSet(), value: .float(value))]
            case .string, .matrix: throw EvaluationError.execution("the result is neither a vector nor a scalar")
            }
        } catch {
            throw Wrong(location: check.expression.location, reason: "\(error)")
        }
    }

    private var evaluator: Evaluator<SeriesStore> {
        var evaluation = settings.evaluation
        evaluation.subqueryStep = interval
        return Evaluator(reader: store, settings: evaluation)
    }

    private func read(_ sample: RuleTest.Sample) throws(Wrong) -> RuleTestSample {
        var labels = LabelSet()
        if let text = sample.labels {
            do throws(ParseError) {
                labels = try PromQLParser.parseMetric(text.value)
            } catch {
                throw Wrong(
                    location: text.node.location(ofByte: error.place.start), reason: "bad labels: \(error.message)")
            }
        }
        guard let text = sample.histogram else { return RuleTestSample(labels: labels, value: .float(sample.value)) }
        let values: [SeriesNotation.Value]
        do throws(ParseError) {
            values = try PromQLParser.parseSeriesNotation("{} " + text.value).values
        } catch {
            throw Wrong(
                location: text.node.location(ofByte: max(0, error.place.start - 3)),
                reason: "bad histogram: \(error.message)")
        }
        guard values.count == 1, case .histogram(let histogram) = values[0] else {
            throw Wrong(location: text.location, reason: "\(quoted(text.value)) is not one histogram")
        }
        return RuleTestSample(labels: labels, value: .histogram(histogram.description))
    }

    /// Every series with all of its samples, by time.
    func dump() async -> [String] {
        // It is a selector.
        guard let everything = try? PromQLParser.parseSelector(#"{__name__=~".+"}"#) else { return [] }
        let request = SelectRequest(matchers: everything, start: .distantPast, end: .distantFuture)
        // Only a bound on what is read can be reached; then nothing is shown.
        guard let block = try? await store.select(request) else { return [] }
        return block.labels.indices.map { series in
            let samples = (block.bounds[series]..<block.bounds[series + 1]).map { place in
                let value = block.values[place]
                let text =
                    if value.isHistogram {
                        block.histograms[value.histogramPlace].notation
                    } else {
                        value.isStaleMarker ? "stale" : formatFloat(value, .general)
                    }
                return "\(text)@\((Timestamp(milliseconds: block.timestamps[place]) - test.start).prometheusText)"
            }
            return "\(block.labels[series]) \(samples.joined(separator: " "))"
        }.sorted()
    }
}

extension RuleTestSample {
    fileprivate init(_ sample: VectorSample) {
        self.init(
            labels: sample.labels, value: sample.histogram.map { .histogram($0.notation) } ?? .float(sample.value))
    }
}

extension String {
    /// Blanks and ends of lines as one blank each.
    fileprivate var oneLine: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
