package import Hummingbird
import Pipelines

/// Every path that the server answers.
/// - Parameter prefix: under which all of them lie, such as `/monitoring`; empty: none.
package func tocsinRouter(_ services: ServerServices, prefix: String = "") -> Router<ServerContext> {
    let routes = RouteTable(prefix: prefix, crossOrigin: services.crossOrigin)
    ManagementRoutes(services: services).add(to: routes)
    PushRoutes(services: services, prefix: prefix).add(to: routes)
    PushGatewayRoutes(services: services).add(to: routes)
    let runner = QueryRunner(
        services.queries, services.graph.language, store: services.graph.store, telemetry: services.telemetry)
    QueryRoutes(services: services, runner: runner).add(to: routes)
    MetadataRoutes(services: services).add(to: routes)
    ExemplarRoutes(services: services, runner: runner).add(to: routes)
    AlertStreamRoutes(services: services).add(to: routes)
    SeriesRoutes(services: services, runner: runner).add(to: routes)
    SearchRoutes(services: services, runner: runner).add(to: routes)
    RuleRoutes(services: services).add(to: routes)
    TargetRoutes(services: services).add(to: routes)
    StatusRoutes(services: services, runner: runner).add(to: routes)
    PostAlertsRoutes(services: services).add(to: routes)
    AlertmanagerRoutes(services: services).add(to: routes)
    SilenceRoutes(services: services).add(to: routes)
    return routes.router()
}
