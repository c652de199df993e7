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

    func add(to routes: RouteTable) {
        routes.get("/") { _, _ in Self.text(Self.page, type: "text/html; charset=utf-8") }
        routes.get("/-/healthy") { _, _ in Self.text("OK") }
        routes.get("/-/ready") { _, _ in
            services.graph.isReady
                ? Self.text("OK") : HTTPFailure(.serviceUnavailable, "starting or shutting down").textResponse
        }
        routes.post("/-/reload") { _, _ in await reload() }
        routes.put("/-/reload") { _, _ in await reload() }
        routes.get("/metrics") { _, _ in await metrics() }
    }

    /// What the server is, and where to look.
    private static let page = """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Tocsin</title></head>
        <body>
        <h1>Tocsin</h1>
        <ul>
        <li><a href="api/v1/stream/alerts">api/v1/stream/alerts</a>: every change of every alert, as it happens</li>
        <li><a href="api/v1/alerts">api/v1/alerts</a>: the alerts that are pending or firing</li>
        <li><a href="api/v1/targets">api/v1/targets</a>: what is scraped, and why it is down</li>
        <li>api/v1/query, api/v1/query_range: PromQL</li>
        <li><a href="api/v1/rules">api/v1/rules</a>: the rules, and how their evaluation went</li>
        <li><a href="api/v1/openapi.yaml">api/v1/openapi.yaml</a>: Prometheus's API</li>
        <li>metrics/job/&lt;job&gt;, api/v1/import/prometheus, api/v1/write: where samples are pushed</li>
        <li><a href="api/v2/alerts">api/v2/alerts</a>: what routing knows, and where alerts are posted;
        <a href="api/v2/alerts/groups">groups</a>, <a href="api/v2/silences">silences</a></li>
        <li><a href="api/v1/metrics">api/v1/metrics</a>, <a href="api/v1/status">api/v1/status</a>: the pushed groups</li>
        <li><a href="metrics">metrics</a>: about this server</li>
        <li><a href="-/healthy">-/healthy</a>, <a href="-/ready">-/ready</a>; POST -/reload</li>
        </ul>
        </body>
        </html>

        """

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
        text += await AlertmanagerReadings.exposition(services)
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
