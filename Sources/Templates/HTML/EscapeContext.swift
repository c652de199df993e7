/// Where in a page a piece of template stands, as far as it matters for what may be written there.
struct EscapeContext: Hashable, Sendable {
    enum State: String, Sendable {
        case text, tag, attributeName, afterName, beforeValue, comment, rawText, attribute, url, srcset
        case js, jsDoubleQuoted, jsSingleQuoted, jsTemplate, jsRegexp, jsBlockComment, jsLineComment
        case jsHTMLOpenComment, jsHTMLCloseComment
        case css, cssDoubleQuoted, cssSingleQuoted, cssDoubleQuotedURL, cssSingleQuotedURL, cssURL
        case cssBlockComment, cssLineComment
        case failed
        /// Behind a break or continue: nothing is reached.
        case dead
    }

    enum Delimiter: String, Sendable { case none, doubleQuote, singleQuote, spaceOrTagEnd }
    /// How far a URL has got: what is written decides its scheme, its path, or its query.
    enum URLPart: String, Sendable { case none, beforeQuery, query, unknown }
    /// Whether a slash in JavaScript starts a regular expression or divides.
    enum Slash: String, Sendable { case regexp, division, unknown }
    enum Attribute: String, Sendable { case none, script, scriptType, style, url, srcset }
    enum Element: String, Sendable { case none, script, style, textarea, title }

    var state = State.text
    var delimiter = Delimiter.none
    var urlPart = URLPart.none
    var slash = Slash.regexp
    /// Open braces in each `${…}` of JavaScript's template literals, outermost first.
    var braces: [Int] = []
    var attribute = Attribute.none
    var element = Element.none
    /// What is wrong, in the failed state.
    var problem: Problem?

    struct Problem: Hashable, Sendable {
        var message: String
        var position: Position?
    }

    static func failure(_ message: String, at position: Position? = nil) -> EscapeContext {
        EscapeContext(state: .failed, problem: Problem(message: message, position: position))
    }

    var isComment: Bool {
        switch state {
        case .comment, .jsBlockComment, .jsLineComment, .jsHTMLOpenComment, .jsHTMLCloseComment, .cssBlockComment,
            .cssLineComment:
            true
        default: false
        }
    }

    var isScriptLiteral: Bool {
        switch state {
        case .jsDoubleQuoted, .jsSingleQuoted, .jsTemplate, .jsRegexp: true
        default: false
        }
    }

    /// The context after an action that stands here began to write: `<a href={{.}}` is in an attribute's value.
    var nudged: EscapeContext {
        var result = self
        switch state {
        case .tag: result.state = .attributeName
        case .beforeValue:
            (result.state, result.delimiter, result.attribute) = (attribute.startState, .spaceOrTagEnd, .none)
        case .afterName: (result.state, result.attribute) = (.attributeName, .none)
        default: break
        }
        return result
    }

    /// The name under which a template that starts here is kept; plain text keeps its own name.
    func mangled(_ name: String) -> String { state == .text ? name : "\(name)$\(description)" }
}

extension EscapeContext: CustomStringConvertible {
    var description: String {
        let parts = [
            state.rawValue, delimiter.rawValue, urlPart.rawValue, slash.rawValue, "\(braces)", attribute.rawValue,
            element.rawValue,
        ]
        return parts.joined(separator: " ")
    }
}

extension EscapeContext.Attribute {
    var startState: EscapeContext.State {
        switch self {
        case .none, .scriptType: .attribute
        case .script: .js
        case .style: .css
        case .url: .url
        case .srcset: .srcset
        }
    }

    enum Kind: Sendable {
        case plain, url, style, script, srcset, html
        /// May change how other content is read: never taken from data as a name.
        case unsafe
    }

    /// What an attribute's value is taken for, by its lower-case name: a guess on the safe side.
    static func kind(of name: String) -> Kind {
        var name = Substring(name)
        if name.hasPrefix("data-") {
            name = name.dropFirst(5)
        } else if let colon = name.firstIndex(of: ":") {
            if name[..<colon] == "xmlns" { return .url }
            name = name[name.index(after: colon)...]
        }
        if let known = kinds[String(name)] { return known }
        if name.hasPrefix("on") { return .script }
        let looksLikeURL = ["src", "uri", "url"].contains { name.replacingOccurrences(of: $0, with: "") != name }
        return looksLikeURL ? .url : .plain
    }

    private static let kinds: [String: Kind] = {
        var kinds: [String: Kind] = ["style": .style, "srcset": .srcset, "srcdoc": .html]
        let urls = """
            action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src \
            usemap xmlns
            """
        let unsafe = """
            accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod \
            formnovalidate http-equiv keytype language method novalidate pattern rel sandbox type value
            """
        let plain = """
            accept alt autocomplete autofocus autoplay border checked class cols colspan contenteditable contextmenu \
            controls coords datetime default dir dirname disabled draggable dropzone for formtarget headers height hidden \
            high hreflang id ismap kind label lang list loop low max maxlength media mediagroup min multiple name open \
            optimum placeholder preload pubdate radiogroup readonly required reversed rows rowspan scope scoped seamless \
            selected shape size sizes span spellcheck srclang start step tabindex target title width wrap
            """
        for (names, kind) in [(urls, Kind.url), (unsafe, .unsafe), (plain, .plain)] {
            for name in names.split(separator: " ") { kinds[String(name)] = kind }
        }
        return kinds
    }()
}
