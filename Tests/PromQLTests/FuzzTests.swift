import Foundation
import FuzzKit
import Testing

/// The short form of `make fuzz`: the corpus, and some of what can be made of it.
@Suite struct FuzzTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../Fuzzing/corpus").standardized

    @Test(
        "The corpus and inputs made of it are parsed and evaluated without a fault",
        arguments: [("parse", 1), ("parse", 2), ("evaluate", 1), ("evaluate", 2)] as [(String, UInt64)])
    func findsNothing(_ name: String, seed: UInt64) async throws {
        let target = try #require(FuzzTargets.named(name))
        let corpus = try Corpus(folder: Self.folder)
        var mutator = Mutator(seed: seed)
        let mutated = (0..<150).map { _ in mutator.input(from: corpus) }
        for input in corpus.inputs + mutated {
            do throws(FuzzFinding) {
                try await target.check(input)
            } catch {
                Issue.record("\(String(decoding: input, as: UTF8.self)): \(error)")
            }
        }
        #expect(corpus.inputs.count > 80)
    }
}
