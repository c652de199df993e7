/// What an execution may use. Reaching a bound is an error of the template.
package struct TemplateLimits: Sendable {
    /// Of the output, and of each string made on the way.
    package var outputBytesMax = 16 << 20
    /// Steps: a node or command each; long strings and lists count by their size.
    package var stepsMax = 4_000_000
    /// Templates inside of templates.
    package var templateDepthMax = 100
    /// Blocks, parentheses and templates inside one another.
    package var nestingMax = 300
    /// Lists and maps inside one another.
    package var valueDepthMax = 32

    package init() {}
}
