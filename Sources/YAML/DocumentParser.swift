internal import Streams

/// Reads YAML 1.1 as Go's yaml packages do into a tree of nodes: anchors, aliases and merge keys resolved, duplicate keys
/// refused, everything bounded by `ParseLimits`.
package struct DocumentParser {
    /// What more than one document in a file means.
    package enum Documents: Sendable {
        /// An error.
        case one
        /// What follows the first is not read, as Prometheus does with its files.
        case first
    }

    /// - Parameter environment: where given, `${NAME}` in values is replaced (see `Interpolation`).
    /// - Returns: the document; a file without one is a null node. Nil when it cannot be read any further; that, and all
    ///   else that is wrong, is in `diagnostics`.
    package static func parse(
        _ source: SourceText, documents: Documents = .one, limits: ParseLimits = .standard,
        environment: Environment? = nil, diagnostics: Diagnostics
    ) -> Node? {
        do throws(ConfigError) {
            var composer = try Composer(source, limits, environment, diagnostics)
            return try composer.document(documents)
        } catch {
            diagnostics.report(error)
            return nil
        }
    }
}

/// Builds the tree from events. Throws on what makes reading on impossible, reports the rest.
private struct Composer: ~Copyable {
    private struct Anchored {
        var node: Node
        var count: Int
        var height: Int
    }

    /// What came of one event and all that belongs to it.
    private struct Built {
        var node: Node
        /// Nodes with aliases followed.
        var count: Int
        var height: Int
    }

    private var events: EventStream
    private let source: SourceText
    private let limits: ParseLimits
    private let diagnostics: Diagnostics
    private var interpolation: Interpolation?
    private var anchors: [String: Anchored] = [:]
    private var open: Set<String> = []
    private var total = 0

    init(_ source: SourceText, _ limits: ParseLimits, _ environment: Environment?, _ diagnostics: Diagnostics)
        throws(ConfigError)
    {
        events = try EventStream(source)
        self.source = source
        self.limits = limits
        self.diagnostics = diagnostics
        interpolation = environment.map { Interpolation($0, bytesMax: limits.interpolatedBytesMax) }
    }

    mutating func document(_ documents: DocumentParser.Documents) throws(ConfigError) -> Node {
        _ = try events.next()
        guard case .documentStart = try events.next().kind else {
            return Node(.scalar(.init(text: "", style: .plain)), source, 0..<0)
        }
        let root = try build(try events.next(), depth: 1, isKey: false).node
        guard case .one = documents else { return root }
        _ = try events.next()
        let after = try events.next()
        if case .documentStart = after.kind {
            throw ConfigError(
                source.location(at: after.range.lowerBound),
                .syntax("a second document begins here; only one is allowed in a file"))
        }
        return root
    }

    private mutating func build(_ event: EventStream.Event, depth: Int, isKey: Bool) throws(ConfigError) -> Built {
        if depth > limits.depthMax {
            throw failure(event, .limit("nested deeper than \(limits.depthMax) levels"))
        }
        if let anchor = event.anchor { open.insert(anchor) }
        let built: Built
        switch event.kind {
        case .alias(let name): return try resolve(name, event, depth)
        case .scalar(let text, let style): built = scalar(text, style, event, isKey: isKey)
        case .sequenceStart: built = try sequence(event, depth)
        case .mappingStart: built = try mapping(event, depth)
        default: throw failure(event, .syntax("a value is missing"))
        }
        try count(1, event)
        if let anchor = event.anchor {
            open.remove(anchor)
            anchors[anchor] = Anchored(node: built.node, count: built.count, height: built.height)
        }
        return built
    }

    private mutating func count(_ nodes: Int, _ event: EventStream.Event) throws(ConfigError) {
        total += nodes
        if total > limits.nodesMax {
            throw failure(event, .limit("more than \(limits.nodesMax) nodes with all aliases followed"))
        }
    }

    private mutating func resolve(_ name: String, _ event: EventStream.Event, _ depth: Int) throws(ConfigError)
        -> Built
    {
        if open.contains(name) {
            throw failure(event, .syntax("this alias refers to a node that contains it"))
        }
        guard let anchored = anchors[name] else {
            throw failure(
                event, .syntax("this alias has no anchor before it; text that begins with \"*\" stands in quotes"))
        }
        if depth + anchored.height - 1 > limits.depthMax {
            throw failure(event, .limit("nested deeper than \(limits.depthMax) levels"))
        }
        try count(anchored.count, event)
        return Built(node: anchored.node, count: anchored.count, height: anchored.height)
    }

    private mutating func scalar(
        _ text: String, _ style: Node.Scalar.Style, _ event: EventStream.Event, isKey: Bool
    ) -> Built {
        let range = contentRange(event)
        var value = text
        var written: String?
        var isFromEnvironment = false
        var isBroken = false
        if !isKey, interpolation != nil, text.utf8.contains(UInt8(ascii: "$")) {
            do throws(Interpolation.Failure) {
                if let result = try interpolation?.replace(in: text) {
                    value = result.text
                    written = text
                    isFromEnvironment = result.isFromEnvironment
                }
            } catch {
                report(error, text, style, range)
                written = text
                isBroken = true
            }
        }
        let tag = coreTag(event, allowed: ["str", "int", "float", "bool", "null", "timestamp"])
        let scalar = Node.Scalar(
            text: value, style: style, tag: tag, written: written, isFromEnvironment: isFromEnvironment,
            isBroken: isBroken)
        return Built(node: Node(.scalar(scalar), source, range), count: 1, height: 1)
    }

    private func report(
        _ failure: Interpolation.Failure, _ text: String, _ style: Node.Scalar.Style, _ range: Range<Int>
    ) {
        let scalar = Node.Scalar(text: text, style: style)
        let node = Node(.scalar(scalar), source, range)
        diagnostics.report(failure.problem, at: node.location(ofByte: failure.offset))
    }

    private mutating func sequence(_ event: EventStream.Event, _ depth: Int) throws(ConfigError) -> Built {
        _ = coreTag(event, allowed: ["seq"])
        var items: [Node] = []
        var count = 1
        var height = 0
        while true {
            let next = try events.next()
            if case .sequenceEnd = next.kind { break }
            let item = try build(next, depth: depth + 1, isKey: false)
            items.append(item.node)
            count += item.count
            height = max(height, item.height)
        }
        return Built(node: Node(.sequence(items), source, contentRange(event)), count: count, height: height + 1)
    }

    private mutating func mapping(_ event: EventStream.Event, _ depth: Int) throws(ConfigError) -> Built {
        _ = coreTag(event, allowed: ["map"])
        var entries = MappingEntries()
        var count = 1
        var height = 0
        while true {
            let next = try events.next()
            if case .mappingEnd = next.kind { break }
            let key = try build(next, depth: depth + 1, isKey: true)
            let value = try build(try events.next(), depth: depth + 1, isKey: false)
            count += key.count + value.count
            height = max(height, key.height, value.height)
            entries.add(key.node, value.node, diagnostics)
        }
        let node = Node(.mapping(entries.resolved(diagnostics)), source, contentRange(event))
        return Built(node: node, count: count, height: height + 1)
    }

    private func coreTag(_ event: EventStream.Event, allowed: [String]) -> String? {
        guard let tag = event.tag, tag != "!" else { return event.tag == "!" ? "str" : nil }
        let prefix = "tag:yaml.org,2002:"
        if tag.hasPrefix(prefix) {
            let name = String(tag.dropFirst(prefix.count))
            if allowed.contains(name) { return name }
        }
        // Not shown: it may be a password without its quotes.
        diagnostics.report(
            .syntax("tags are not supported here; text that begins with \"!\" stands in quotes"),
            at: source.location(at: event.range.lowerBound))
        return nil
    }

    /// libyaml's range begins with anchor and tag; the value's own begins after them.
    private func contentRange(_ event: EventStream.Event) -> Range<Int> {
        guard event.anchor != nil || event.tag != nil else { return event.range }
        var offset = event.range.lowerBound
        let bytes = source.bytes
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        while offset < bytes.count, bytes[offset] == UInt8(ascii: "&") || bytes[offset] == UInt8(ascii: "!") {
            while offset < bytes.count, !isSpace(bytes[offset]) { offset += 1 }
            while offset < bytes.count {
                if isSpace(bytes[offset]) {
                    offset += 1
                } else if bytes[offset] == UInt8(ascii: "#") {
                    while offset < bytes.count, bytes[offset] != 0x0A, bytes[offset] != 0x0D { offset += 1 }
                } else {
                    break
                }
            }
        }
        // An empty value after an anchor: what follows is no longer its own.
        if case .scalar(let text, .plain) = event.kind, text.isEmpty { return event.range }
        return offset..<max(offset, event.range.upperBound)
    }

    private func failure(_ event: EventStream.Event, _ problem: ConfigError.Problem) -> ConfigError {
        ConfigError(source.location(at: event.range.lowerBound), problem)
    }
}
