import HTTPTypes
import Hummingbird
import NIOCore
import Pipelines
import Sources
import Streams

/// What a Pushgateway offers beside pushing: its groups as JSON, its status, and their deletion.
struct PushGatewayRoutes: Sendable {
    let services: ServerServices

    func add(to routes: RouteTable) {
        routes.get("/api/v1/metrics") { _, _ in await groups() }
        routes.get("/api/v1/status") { _, _ in status() }
        routes.put("/api/v1/admin/wipe") { _, _ in await wipe() }
        for method in [HTTPRequest.Method.put, .post] {
            routes.on("/-/quit", method: method) { _, _ in
                HTTPFailure(.forbidden, "the server is not ended over HTTP; send SIGTERM").textResponse
            }
        }
    }

    private func groups() async -> Response {
        do throws(HTTPFailure) {
            return Self.success(await (try services.gateway()).groupsAsJSON())
        } catch {
            return error.textResponse
        }
    }

    private func status() -> Response {
        guard let settings = services.graph.gateway?.settings else { return Self.success(.object([])) }
        return Self.success([
            "build_information": ["version": .string(services.version)],
            "flags": [
                "push.disable-consistency-check": .string("\(!settings.checksConsistency)"),
                "web.enable-admin-api": .string("\(settings.allowsAdministration)"),
                "web.route-prefix": .string(services.routePrefix.isEmpty ? "/" : services.routePrefix),
            ],
            "start_time": .string(services.startTime.rfc3339),
        ])
    }

    private func wipe() async -> Response {
        do throws(HTTPFailure) {
            let gateway = try services.gateway()
            guard gateway.settings.allowsAdministration else {
                throw HTTPFailure(.notFound, "the push source has no \"admin_api: true\"")
            }
            do throws(PushGateway.Refusal) {
                try await gateway.wipe()
            } catch {
                throw HTTPFailure(error)
            }
            return Response(status: .accepted)
        } catch {
            return error.textResponse
        }
    }

    private static func success(_ data: JSONValue) -> Response {
        let document: JSONValue = ["status": "success", "data": data]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: document.bytes)))
    }
}
