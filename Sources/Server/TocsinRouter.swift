package import Hummingbird
import HTTPTypes
import NIOCore
import Streams

/// Every path that the server answers.
package func tocsinRouter(_ services: ServerServices) -> Router<BasicRequestContext> {
    let router = Router(context: BasicRequestContext.self)
    ManagementRoutes(services: services).add(to: router)
    PushRoutes(services: services).add(to: router)
    QueryRoutes(services: services).add(to: router)
    AlertStreamRoutes(services: services).add(to: router)
    StatusRoutes(services: services).add(to: router)
    return router
}
