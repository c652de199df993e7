import Sources
import Streams
import Synchronization

extension RunningGraph {
    struct PreparedSource {
        var plan: SourcePlan
        var running: Component<any Source>?
        var made: (any Source)?
    }

    struct UnknownSource: Error, CustomStringConvertible {
        var kind: String
        var description: String { "nobody makes sources of the kind \(quoted(kind))" }
    }

    /// Makes the sources that the new plan needs; changes nothing that runs.
    func prepareSources(_ new: Plan) throws -> [String: PreparedSource] {
        var prepared: [String: PreparedSource] = [:]
        for source in new.pipelines.flatMap(\.sources) where prepared[source.name] == nil {
            if let running = sources[source.name], running.plan == source {
                prepared[source.name] = PreparedSource(plan: source, running: running.component)
            } else {
                prepared[source.name] = PreparedSource(plan: source, made: try make(source))
            }
        }
        return prepared
    }

    private func make(_ plan: SourcePlan) throws -> any Source {
        if let scrape = plan.settings as? ScrapeSettings {
            return try ScrapeSource(
                scrape, client: settings.http, ingest: ingest, clock: settings.clock, telemetry: settings.telemetry,
                logger: settings.logger)
        }
        if let push = plan.settings as? PushSettings {
            return PushGateway(push, ingest: ingest, clock: settings.clock, telemetry: settings.telemetry)
        }
        throw UnknownSource(kind: plan.kind)
    }

    /// Stops what is gone, whose series end; what is configured in another way goes on from where the old one stood.
    func exchangeSources(_ prepared: [String: PreparedSource]) async {
        for (name, old) in sources where prepared[name]?.running == nil {
            await old.component.handle.stop()
            if let successor = prepared[name]?.made {
                await successor.takeOver(from: old.component.value)
                if let gateway = successor as? PushGateway { currentGateway.withLock { $0 = gateway } }
            } else {
                await old.component.value.retire()
            }
        }
        var next: [String: (plan: SourcePlan, component: Component<any Source>)] = [:]
        for (name, source) in prepared {
            if let running = source.running {
                next[name] = (source.plan, running)
            } else if let made = source.made {
                if let gateway = made as? PushGateway, let groups = saved.pushedGroups {
                    saved.pushedGroups = nil
                    await gateway.restore(groups)
                }
                let handle = await host.start(name) { try await made.run() }
                next[name] = (source.plan, Component(value: made, handle: handle))
            }
        }
        sources = next
        let gateway = next.values.lazy.compactMap { $0.component.value as? PushGateway }.first
        currentGateway.withLock { $0 = gateway }
    }
}
