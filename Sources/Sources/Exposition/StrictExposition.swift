package import Streams

/// A metric family as a strict reader takes it: what a push to the Pushgateway API may hold.
package struct PushedFamily: Sendable, Equatable {
    package var name: String
    /// nil where no TYPE line says it.
    package var type: MetricType?
    package var help: String?
    /// In the order of the text.
    package var samples: [PushedSample] = []
}

/// A sample of a family, under the name on its line (with `_bucket`, `_sum`, `_count`).
package struct PushedSample: Sendable, Equatable {
    package var labels: LabelSet
    package var value: Double
    /// Milliseconds since the epoch, when the line has one.
    package var timestamp: Int64?
}

/// Reads the text format as strictly as Pushgateway and `promtool check metrics` do (expfmt's TextParser): one HELP and
/// one TYPE a family, before its samples; names, values and escapes are checked.
package enum StrictExposition {
    /// - Throws: with the line and the reason; nothing of the text may be used then.
    package static func parse(_ body: UnsafeRawBufferPointer) throws(ExpositionError) -> [PushedFamily] {
        throw ExpositionError(.format, line: 0, "pushes are not read yet")
    }
}
