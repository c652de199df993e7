import Actors
import Foundation
import Pipelines
import TestKit
import Testing
import YAML

@Suite struct ShippedPipelinesTests {
    @Test func `the pipelines that ship load without any setting`() throws {
        let folder = URL(filePath: #filePath).appending(path: "../../../pipelines").standardized.path
        let plan = try PipelineLoader(environment: Environment([:])).load([folder])
        #expect(plan.pipelines.count >= 3)
        #expect(plan.notices == [])
        #expect(plan.pipelines.allSatisfy { $0.routing != nil })
        let alerts = plan.pipelines.flatMap(\.ruleGroups).flatMap(\.rules).filter(\.isAlert).map(\.name)
        #expect(Set(alerts).isSuperset(of: ["TrainingJobFailed", "HighMissingValues", "NodeDown"]))
    }
}
