import Streams
import Testing

@testable import Storage

@Suite struct MetadataStoreTests {
    private static func target(_ instance: String) -> MetadataOwner {
        .target(pool: "j", labels: ["instance": instance, "job": "j"], url: "http://\(instance)/metrics")
    }

    private static func facts(_ family: String, _ type: MetricType, _ help: String, unit: String = "")
        -> [MetricMetadata]
    {
        [
            MetricMetadata(family: family, fact: .type(type)), MetricMetadata(family: family, fact: .help(help)),
            MetricMetadata(family: family, fact: .unit(unit)),
        ]
    }

    private func families(_ store: MetadataStore, _ name: String? = nil) -> [FamilyMetadata] {
        store.families(named: name).flatMap(\.descriptions)
    }

    @Test func `what one says again changes what it said, line by line`() {
        let store = MetadataStore(telemetry: Telemetry())
        store.tell(Self.facts("a", .gauge, "Old.", unit: "s"), from: Self.target("1"), replacing: true)
        store.tell([MetricMetadata(family: "a", fact: .help("New."))], from: Self.target("1"), replacing: false)
        #expect(families(store) == [FamilyMetadata("a", type: .gauge, help: "New.", unit: "s")])
        store.tell([MetricMetadata(family: "b", fact: .type(.info))], from: Self.target("1"), replacing: false)
        #expect(families(store, "b") == [FamilyMetadata("b", type: .info)])
        #expect(families(store, "c") == [])
    }

    @Test func `those who disagree are all heard, those who agree count once`() {
        let store = MetadataStore(telemetry: Telemetry())
        for instance in ["1", "2", "3"] {
            store.tell(Self.facts("up", .gauge, "Same."), from: Self.target(instance), replacing: true)
        }
        store.tell(Self.facts("up", .counter, "Other."), from: .source("import"), replacing: false)
        #expect(
            families(store) == [
                FamilyMetadata("up", type: .counter, help: "Other."), FamilyMetadata("up", type: .gauge, help: "Same."),
            ])
        #expect(store.targets().map { $0.labels["instance"] } == ["1", "2", "3"])
        #expect(
            store.targets { $0["instance"] == "2" }.map(\.families) == [
                [FamilyMetadata("up", type: .gauge, help: "Same.")]
            ])
        #expect(store.targets(named: "down").isEmpty)
    }

    @Test func `what is forgotten is gone once nobody says it any more, and its memory with it`() {
        let telemetry = Telemetry()
        let store = MetadataStore(telemetry: telemetry)
        func bytes() -> Bool { telemetry.exposition().contains("\ntocsin_metadata_bytes 0\n") }
        #expect(bytes())
        for instance in ["1", "2"] {
            store.tell(
                Self.facts("a", .gauge, "A.") + Self.facts("b", .info, "B."), from: Self.target(instance),
                replacing: true)
        }
        store.tell(Self.facts("b", .info, "B."), from: Self.target("1"), replacing: true)
        #expect(store.families().map(\.name) == ["a", "b"])
        store.forget(Self.target("2"))
        #expect(store.families().map(\.name) == ["b"])
        #expect(!bytes())
        store.forget(["b", "none"], of: Self.target("1"))
        store.forget(Self.target("1"))
        #expect(store.families().isEmpty && store.targets().isEmpty)
        #expect(bytes())
    }

    @Test func `bounds hold for a source, for all, and for a text; what is beyond is counted`() {
        let telemetry = Telemetry()
        let store = MetadataStore(
            MetadataLimits(familiesPerOwnerMax: 3, bytesMax: 4000, textBytesMax: 20), telemetry: telemetry)
        for name in ["a", "b", "c", "d", "e"] {
            store.tell(Self.facts(name, .gauge, ""), from: .source("import"), replacing: false)
        }
        #expect(store.families().map(\.name) == ["a", "b", "c"])
        #expect(telemetry.exposition().contains("tocsin_metadata_dropped_total{reason=\"family_limit\"} 2\n"))
        store.tell(
            [MetricMetadata(family: "a", fact: .help(String(repeating: "x", count: 21)))], from: .source("import"),
            replacing: false)
        #expect(families(store, "a") == [FamilyMetadata("a", type: .gauge)])
        #expect(telemetry.exposition().contains("tocsin_metadata_dropped_total{reason=\"text_limit\"} 1\n"))
        for instance in 0..<100 {
            store.tell(Self.facts("m\(instance)", .gauge, "M."), from: Self.target("\(instance)"), replacing: true)
        }
        #expect((1..<10).contains(store.targets().count))
        #expect(telemetry.exposition().contains("tocsin_metadata_dropped_total{reason=\"memory_limit\"}"))
        // A description that is known already needs no room of its own, and what there is can be changed.
        store.tell(Self.facts("a", .gauge, "Hm."), from: .source("import"), replacing: false)
        #expect(families(store, "c") == [FamilyMetadata("c", type: .gauge)])
    }
}
