import HTTPTypes
import Hummingbird
import Streams

/// What Alertmanager's API v2 does around its endpoints: errors for paths and methods in its own form, and headers for
/// browsers.
struct AlertmanagerManners: RouterMiddleware {
    static let path = "/api/v2/"

    private let prefix: String
    private let crossOrigin: CrossOrigin

    init(prefix: String, crossOrigin: CrossOrigin) {
        self.prefix = prefix + Self.path
        self.crossOrigin = crossOrigin
    }

    static func notAllowed(_ method: HTTPRequest.Method, allowed: [String]) -> Response {
        let methods = allowed.sorted().joined(separator: ",")
        var response = AlertmanagerAnswer.failure(
            HTTPFailure(.methodNotAllowed, "method \(method.rawValue) is not allowed, but [\(methods)] are"))
        response.headers[.allow] = methods
        return response
    }

    @concurrent
    func handle(
        _ request: Request, context: ServerContext,
        next: @concurrent (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path.hasPrefix(prefix) else { return try await next(request, context) }
        if let preflight = crossOrigin.preflight(request) { return preflight }
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            response = AlertmanagerAnswer.failure(
                HTTPFailure(
                    .notFound,
                    "path \(request.uri.path.dropFirst(prefix.utf8.count - Self.path.utf8.count)) was not found"))
        }
        crossOrigin.allow(request, in: &response)
        return response
    }
}

/// As the library does that Alertmanager uses, which is not how Prometheus does it.
extension CrossOrigin {
    private static let requestMethod = HTTPField.Name("Access-Control-Request-Method")!
    private static let requestHeaders = HTTPField.Name("Access-Control-Request-Headers")!
    private static let simpleMethods: Set<String> = ["GET", "POST", "HEAD"]
    private static let simpleHeaders: Set<String> = ["accept", "content-type", "origin", "x-requested-with"]

    /// The answer to a browser that asks what it may do; nil: it asks something else.
    fileprivate func preflight(_ request: Request) -> Response? {
        guard request.method == .options, let method = request.headers[Self.requestMethod] else { return nil }
        var response = Response(status: .noContent)
        response.headers[.vary] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        let asked = (request.headers[Self.requestHeaders] ?? "").split(separator: ",").map { name in
            name.filter { $0 != " " }.lowercased()
        }
        guard let origin = allowed(request), Self.simpleMethods.contains(method),
            asked.allSatisfy(Self.simpleHeaders.contains)
        else { return response }
        response.headers[Self.allowOrigin] = origin
        response.headers[Self.allowMethods] = method
        if !asked.isEmpty { response.headers[Self.allowHeaders] = asked.joined(separator: ", ") }
        return response
    }

    fileprivate func allow(_ request: Request, in response: inout Response) {
        response.headers[.vary] = "Origin"
        if let origin = allowed(request) { response.headers[Self.allowOrigin] = origin }
    }

    /// `*`, or the request's origin where only some may; nil where it may not, or does not say.
    private func allowed(_ request: Request) -> String? {
        guard let origin = request.headers[.origin], !origin.isEmpty else { return nil }
        guard let origins else { return "*" }
        return origins.matches(origin) ? origin : nil
    }
}
