/// What an execution may use. Reaching a bound is an error of the template.
package struct TemplateLimits: Sendable {
    /// Of the output, and of each string made on the way.
    package var outputBytesMax = 16 << 20
    /// Steps: a node or command each; long strings and lists count by their size.
    package var stepsMax = 1_000_000
    /// Templates inside of templates.
    package var templateDepthMax = 64
    /// Blocks, parentheses and templates inside one another.
    package var nestingMax = 150
    /// Lists and maps inside one another.
    package var valueDepthMax = 32

    package init() {}

    /// For labels and annotations: they are short, and there are many.
    package static let annotation: TemplateLimits = {
        var limits = TemplateLimits()
        limits.outputBytesMax = 1 << 20
        return limits
    }()

    /// For notifications: a group may hold thousands of alerts, and each is to be told.
    package static let notification: TemplateLimits = {
        var limits = TemplateLimits()
        limits.stepsMax = 20_000_000
        return limits
    }()
}
