import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Sources
import Streams
import YAML

/// Health, readiness, reload, and the program's own metrics.
struct ManagementRoutes: Sendable {
    let services: ServerServices

    func add(to router: Router<BasicRequestContext>) {
        router.get("/-/healthy") { _, _ in Self.text("OK") }
        router.get("/-/ready") { _, _ in
            services.graph.isReady
                ? Self.text("OK") : HTTPFailure(.serviceUnavailable, "starting or shutting down").textResponse
        }
        router.post("/-/reload") { _, _ in await reload() }
        router.put("/-/reload") { _, _ in await reload() }
        router.get("/metrics") { _, _ in await metrics() }
    }

    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func reload() async -> Response {
        do {
            try await services.reload()
            return Response(status: .ok)
        } catch let errors as ConfigErrors {
            return HTTPFailure(.internalServerError, "nothing was changed:\n\(errors)").textResponse
        } catch {
            return HTTPFailure(.internalServerError, "nothing was changed: \(error)").textResponse
        }
    }

    private func metrics() async -> Response {
        var text = services.telemetry.metrics.exposition()
        if let gateway = services.graph.gateway, gateway.settings.exposes {
            do throws(PushGateway.Inconsistent) {
                text += try await gateway.exposition()
            } catch {
                return HTTPFailure(.internalServerError, error.description).textResponse
            }
        }
        return Self.text(text, type: "text/plain; version=0.0.4; charset=utf-8")
    }
}
