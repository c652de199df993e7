import HTTPTypes
import Hummingbird
package import Streams

/// Which other sites' pages may read the API in a browser, told by the headers that Prometheus sends (`web.cors.origin`).
package struct CrossOrigin: Sendable {
    package let pattern: String
    /// Matches the whole of an origin; nil: any.
    let origins: RegularExpression?

    /// - Parameter pattern: for the whole of an origin, such as `https?://(a|b)\.example`.
    package init(_ pattern: String) throws(RegularExpression.SyntaxError) {
        self.pattern = pattern
        origins = pattern == Self.anyPattern ? nil : try RegularExpression(pattern)
    }

    private init() {
        pattern = Self.anyPattern
        origins = nil
    }

    private static let anyPattern = ".*"

    package static let any = CrossOrigin()

    static let allowHeaders = HTTPField.Name("Access-Control-Allow-Headers")!
    static let allowMethods = HTTPField.Name("Access-Control-Allow-Methods")!
    static let allowOrigin = HTTPField.Name("Access-Control-Allow-Origin")!
    private static let exposeHeaders = HTTPField.Name("Access-Control-Expose-Headers")!

    func add(to response: inout Response, for request: Request) {
        response.headers[.vary] = (response.headers[.vary].map { $0 + ", " } ?? "") + "Origin"
        guard let origin = request.headers[.origin], !origin.isEmpty else { return }
        response.headers[Self.allowHeaders] = "Accept, Authorization, Content-Type, Origin"
        response.headers[Self.allowMethods] = "GET, POST, OPTIONS"
        response.headers[Self.exposeHeaders] = "Date"
        if let origins {
            if origins.matches(origin) { response.headers[Self.allowOrigin] = origin }
        } else {
            response.headers[Self.allowOrigin] = "*"
        }
    }
}
