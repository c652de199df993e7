package import Streams
internal import Synchronization

/// The named templates of notifications: those that ship, those of the user's files, and the texts of receivers'
/// settings, which are read once and kept.
package final class NotificationTemplates: Sendable {
    private struct Key: Hashable {
        var text: String
        var isHTML: Bool
    }

    private let templates: TemplateSet
    private let now: @Sendable () -> Timestamp
    private let compiled = Mutex<[Key: TemplateSet]>([:])

    private static let compiledMax = 1000

    /// Reads the user's files, in order, over the templates that ship. `clock` is what `now` and `since` ask.
    package init(files: [(name: String, text: String)] = [], clock: any WallClock) throws(TemplateError) {
        var set = Self.standard
        for file in files { try set.add(file.text, name: file.name) }
        templates = set
        now = { clock.now() }
    }

    /// What ships is read once. That it can be read is tested.
    private static let standard: TemplateSet = {
        var set = TemplateSet(functions: FunctionTables.notifications)
        for (name, text) in DefaultTemplates.all {
            do throws(TemplateError) {
                try set.add(text, name: name)
            } catch {
                preconditionFailure("a shipped template does not parse: \(error)")
            }
        }
        return set
    }()

    /// Whether a template of that name is there.
    package func contains(_ name: String) -> Bool { templates.trees[name] != nil }

    /// The names that a text may call.
    package var names: [String] { Array(templates.trees.keys) }

    /// All templates, and those of a setting's text; its own has no name.
    func trees(with text: String) throws(TemplateError) -> [String: Tree] { try compile(text, html: false).trees }

    /// Reads a setting's text without executing it: what `text` and `html` would say of it before they see data.
    package func check(_ text: String, html: Bool) throws(TemplateError) { _ = try compile(text, html: html) }

    /// A setting's text, filled in for a notification.
    package func text(_ text: String, for notification: Notification) throws(TemplateError) -> String {
        try execute(text, html: false, NotificationData(notification))
    }

    /// The same as a page: all that comes from the notification is escaped for where it stands.
    package func html(_ text: String, for notification: Notification) throws(TemplateError) -> String {
        try execute(text, html: true, NotificationData(notification))
    }

    func execute(_ text: String, html: Bool, _ data: NotificationData) throws(TemplateError) -> String {
        // Most settings are plain text.
        if !html, !Lexer.hasAction(text) { return text }
        let set = try compile(text, html: html)
        var environment = Environment()
        environment.now = Moment(milliseconds: now().milliseconds)
        environment.externalURL = data.externalURL
        environment.routeLabels = data.routeLabels
        environment.data = data.value
        environment.templates = templates
        return try execute(set, environment)
    }

    /// For tests: a text over other data than a notification.
    func execute(_ text: String, html: Bool, on data: Value) throws(TemplateError) -> String {
        var environment = Environment()
        environment.now = Moment(milliseconds: now().milliseconds)
        environment.data = data
        environment.templates = templates
        return try execute(try compile(text, html: html), environment)
    }

    private func execute(_ set: TemplateSet, _ environment: Environment) throws(TemplateError) -> String {
        let executor = Executor(
            trees: set.trees, functions: set.functions, environment: environment, limits: .notification,
            missingKeyIsZero: true)
        do {
            return try executor.run("", on: environment.data)
        } catch let error as TemplateError {
            throw error
        } catch {
            throw TemplateError(.execution, template: "", "\(error)")
        }
    }

    private func compile(_ text: String, html: Bool) throws(TemplateError) -> TemplateSet {
        let key = Key(text: text, isHTML: html)
        if let known = compiled.withLock({ $0[key] }) { return known }
        var set = templates
        try set.add(text, name: "")
        if html { set = try set.escaped("") }
        compiled.withLock { kept in
            if kept.count >= Self.compiledMax { kept.removeAll() }
            kept[key] = set
        }
        return set
    }
}
