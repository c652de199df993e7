package import Hummingbird
package import NIOCore

/// What a route knows besides the request: the connection it came over.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Nil where the request did not come over a connection.
    package let channel: (any Channel)?

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}
