import Foundation
import Pipelines
import Sinks
import Streams
import TestKit
import Testing
import YAML

@Suite struct ExamplePipelinesTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../../pipelines/examples").standardized
    private static let kinds =
        SinkRegistry.standard.map { $0.key.replacing("_configs", with: "") } + ["scrape", "push"]

    @Test("Each kind of sink and source has an example that loads without any setting", arguments: kinds)
    func loads(_ kind: String) throws {
        let file = Self.folder.appending(path: "\(kind).yaml").path
        let plan = try PipelineLoader(environment: Environment([:])).load([file])
        #expect(plan.notices == [])
        let pipeline = try #require(plan.pipelines.first)
        #expect(pipeline.name == "example-\(kind)")
        #expect(pipeline.routing != nil)
        let used = pipeline.sources.map(\.kind) + pipeline.receivers.flatMap(\.sinks).map(\.integration)
        #expect(used.contains(kind))
    }

    @Test func `there is no example of a kind that is not there`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(files) == Set(Self.kinds.map { "\($0).yaml" }))
    }
}
