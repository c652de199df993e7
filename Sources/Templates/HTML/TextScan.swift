/// Follows a piece of page through its contexts; takes comments out of it, and escapes what would be misread.
struct TextScan {
    private let source: Bytes
    private var context: EscapeContext
    private var output: [UInt8] = []
    /// Up to where the source has been written or left out.
    private var written: Int

    static func run(_ source: Bytes, in context: EscapeContext) -> (EscapeContext, String) {
        var scan = TextScan(source: source, context: context, written: source.startIndex)
        scan.run()
        return (scan.context, String(decoding: scan.output, as: UTF8.self))
    }

    private init(source: Bytes, context: EscapeContext, written: Int) {
        self.source = source
        self.context = context
        self.written = written
    }

    private mutating func run() {
        var index = source.startIndex
        while index < source.endIndex {
            let (next, count) = context.after(source[index...])
            guard count > 0 || next.state != context.state else {
                context = .failure("the page can't be followed from here")
                return
            }
            step(from: index, to: index + count, next: next)
            context = next
            index += count
            if context.state == .failed { return }
        }
        if !context.isComment || context.delimiter != .none { write(upTo: source.endIndex) }
    }

    private mutating func write(upTo end: Int) {
        if written < end { output += source[written..<end] }
        written = max(written, end)
    }

    private mutating func step(from start: Int, to end: Int, next: EscapeContext) {
        if context.state == .text || context.state == .rawText {
            escapeLooseSigns(from: start, to: end, next: next)
        } else if context.isComment, context.delimiter == .none {
            leaveOut(upTo: end)
        }
        if context.state != next.state, next.isComment, next.delimiter == .none {
            let opening =
                switch next.state {
                case .comment, .jsHTMLOpenComment: 4
                case .jsHTMLCloseComment: 3
                default: 2
                }
            write(upTo: end - opening)
            written = end
        }
        if context.isScriptLiteral { escapeScriptTags(from: start, to: end) }
    }

    /// A `<` that starts no tag would be one with what an action writes behind it.
    private mutating func escapeLooseSigns(from start: Int, to end: Int, next: EscapeContext) {
        var limit = end
        if next.state != context.state, let tag = source[start..<end].lastIndex(of: UInt8(ascii: "<")) { limit = tag }
        for place in start..<limit where source[place] == UInt8(ascii: "<") {
            if source[place...].startsWithFolded("<!doctype") { continue }
            write(upTo: place)
            output += Array("&lt;".utf8)
            written = place + 1
        }
    }

    /// Instead of a comment stands what keeps its neighbours apart.
    private mutating func leaveOut(upTo end: Int) {
        switch context.state {
        case .jsBlockComment:
            let text = String(decoding: source[min(written, end)..<end], as: UTF8.self)
            let hasLine = text.unicodeScalars.contains { "\n\r\u{2028}\u{2029}".unicodeScalars.contains($0) }
            output.append(hasLine ? 0x0A : 0x20)
        case .cssBlockComment: output.append(0x20)
        default: break
        }
        written = end
    }

    private mutating func escapeScriptTags(from start: Int, to end: Int) {
        for place in start..<end where source[place] == UInt8(ascii: "<") {
            let rest = source[place..<end]
            guard ["<script", "</script", "<!--"].contains(where: { rest.startsWithFolded($0) }) else { continue }
            write(upTo: place)
            output += Array("\\x3C".utf8)
            written = place + 1
        }
    }
}
