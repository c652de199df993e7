import Streams
import Testing

@testable import Actors

@Suite struct WrittenSeriesTests {
    typealias Value = WrittenSeries.Value

    private static let first = NativeHistogram(count: 1, sum: .nan)
    private static let second = NativeHistogram(count: 2, sum: .nan)

    static let cases: [(String, Value, Value, Bool)] = [
        ("the same float", .float(1), .float(1), false),
        ("another float", .float(1), .float(2), true),
        ("the same NaN", .float(.nan), .float(.nan), false),
        ("a zero of the other sign", .float(0), .float(-0.0), true),
        ("the same histogram, its sum no number", .histogram(first), .histogram(first), false),
        ("another histogram", .histogram(first), .histogram(second), true),
        ("a histogram instead of a float", .float(1), .histogram(first), true),
        ("a float instead of a histogram", .histogram(first), .float(.nan), true),
    ]

    @Test("Between two intervals a series is written when its value has changed", arguments: cases)
    func writes(_ example: (String, WrittenSeries.Value, WrittenSeries.Value, Bool)) {
        var written = WrittenSeries()
        let labels: LabelSet = ["__name__": "r"]
        _ = written.settle([labels: [(labels, example.1)]], scope: .all, onlyChanges: true)
        let appended = written.settle([labels: [(labels, example.2)]], scope: .all, onlyChanges: true)
        #expect(appended.map(\.value) == (example.3 ? [example.2] : []))
        #expect(written.settle([labels: [(labels, example.2)]], scope: .all, onlyChanges: false).count == 1)
    }

    @Test func `a series that is a result no more is marked stale, whatever it was`() {
        var written = WrittenSeries()
        let labels: LabelSet = ["__name__": "r"]
        _ = written.settle([labels: [(labels, .histogram(Self.first))]], scope: .all, onlyChanges: false)
        let appended = written.settle([:], scope: .all, onlyChanges: false)
        #expect(appended.map(\.value) == [.float(StaleMarker.value)] && appended[0].value.isStaleMarker)
    }
}
