import Server
import Streams
import Testing

/// How the query API shows samples.
@Suite struct SampleJSONTests {
    private func text(_ milliseconds: Int64, _ histogram: NativeHistogram) -> String {
        var bytes: [UInt8] = []
        SampleJSON.point(milliseconds, histogram, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a histogram is told with the buckets that have observations, from the lowest on`() {
        let histogram = NativeHistogram(
            schema: 1, count: 15.5, sum: -3.25, zeroCount: 3, zeroThreshold: 0.25,
            positive: .init(
                spans: [.init(offset: 0, length: 3), .init(offset: 2, length: 1)], counts: [1, 0, 4, 6.5]),
            negative: .init(spans: [.init(offset: 3, length: 1)], counts: [1]))
        #expect(
            text(1500, histogram)
                == #"[1.5,{"count":"15.5","sum":"-3.25","buckets":[[1,"-2.82842712474619","-2","1"],"#
                + #"[3,"-0.25","0.25","3"],[0,"0.7071067811865475","1","1"],[0,"1.414213562373095","2","4"],"#
                + #"[0,"4","5.65685424949238","6.5"]]}]"#)
    }

    @Test func `custom buckets reach to both infinities`() {
        let histogram = NativeHistogram(
            schema: NativeHistogram.customSchema, count: 6, sum: 9,
            positive: .init(spans: [.init(offset: 0, length: 3)], counts: [1, 2, 3]), customBounds: [0.5, 5])
        #expect(
            text(0, histogram)
                == #"[0,{"count":"6","sum":"9","buckets":[[3,"-Inf","0.5","1"],[0,"0.5","5","2"],[0,"5","+Inf","3"]]}]"#
        )
    }

    @Test func `a histogram without observations has no buckets`() {
        #expect(text(-250, NativeHistogram(sum: .nan)) == #"[-0.25,{"count":"0","sum":"NaN"}]"#)
    }
}
