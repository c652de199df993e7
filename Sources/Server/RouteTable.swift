import HTTPTypes
package import Hummingbird
import NIOCore
import Streams

/// The paths that the server answers, under one prefix. A known path that is asked with another method answers 405 and
/// says which methods there are.
package final class RouteTable {
    package typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

    /// Such as `/monitoring`; empty: none.
    let prefix: String
    private var handlers: [(path: String, methods: [(method: HTTPRequest.Method, handler: Handler)])] = []

    private let crossOrigin: CrossOrigin

    package init(prefix: String, crossOrigin: CrossOrigin = .any) {
        self.prefix = prefix
        self.crossOrigin = crossOrigin
    }

    package func on(_ path: String, method: HTTPRequest.Method, use handler: @escaping Handler) {
        if let place = handlers.firstIndex(where: { $0.path == path }) {
            handlers[place].methods.append((method, handler))
        } else {
            handlers.append((path, [(method, handler)]))
        }
    }

    package func get(_ path: String, use handler: @escaping Handler) { on(path, method: .get, use: handler) }
    package func put(_ path: String, use handler: @escaping Handler) { on(path, method: .put, use: handler) }
    package func post(_ path: String, use handler: @escaping Handler) { on(path, method: .post, use: handler) }
    package func delete(_ path: String, use handler: @escaping Handler) { on(path, method: .delete, use: handler) }

    /// Below it, browsers are answered that ask what pages of other sites may do.
    private static let apiPath = "/api/v1/"
    private static let methods: [HTTPRequest.Method] = [.get, .put, .post, .delete, .patch, .options]

    /// HEAD is answered where GET is.
    package func router() -> Router<ServerContext> {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: NothingHere())
        router.add(middleware: AlertmanagerManners(prefix: prefix, crossOrigin: crossOrigin))
        let options: Handler = { [crossOrigin] request, _ in
            var response = Response(status: .noContent)
            crossOrigin.add(to: &response, for: request)
            return response
        }
        router.on(RouterPath(stringLiteral: prefix + Self.apiPath + "**"), method: .options, use: options)
        for (path, methods) in handlers {
            let whole = RouterPath(stringLiteral: prefix + path)
            let methods = path.hasPrefix(Self.apiPath) ? methods + [(.options, options)] : methods
            for (method, handler) in methods { router.on(whole, method: method, use: handler) }
            let allowed = methods.map(\.method.rawValue).sorted().joined(separator: ", ")
            for method in Self.methods where !methods.contains(where: { $0.method == method }) {
                router.on(whole, method: method) { _, _ in
                    if path.hasPrefix(AlertmanagerManners.path) {
                        return AlertmanagerManners.notAllowed(method, allowed: methods.map(\.method.rawValue))
                    }
                    var response = HTTPFailure(.methodNotAllowed, "this path takes \(allowed)").textResponse
                    response.headers[.allow] = allowed
                    return response
                }
            }
        }
        return router
    }
}

/// Says so where there is no such path, which Hummingbird answers without a word.
private struct NothingHere: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request, context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return HTTPFailure(.notFound, "there is nothing at this path; the page at / lists what there is")
                .textResponse
        }
    }
}
