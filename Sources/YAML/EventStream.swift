internal import CLibYAML

/// libyaml's events as values, with byte ranges in place of its marks. Owns the C parser.
struct EventStream: ~Copyable {
    struct Event {
        enum Kind {
            case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
            case alias(String)
            case scalar(text: String, style: Node.Scalar.Style)
            case sequenceStart, mappingStart
        }
        var kind: Kind
        var anchor: String?
        var tag: String?
        var range: Range<Int>
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let source: SourceText

    init(_ source: SourceText) throws(ConfigError) {
        self.source = source
        input = .allocate(capacity: max(source.bytes.count, 1))
        _ = input.initialize(from: source.bytes)
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            input.deallocate()
            parser.deallocate()
            throw ConfigError(source.location(at: 0), .limit("out of memory"))
        }
        yaml_parser_set_input_string(parser, input.baseAddress, source.bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next event; past the end of the stream, the end again.
    mutating func next() throws(ConfigError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let start = source.byteOffset(ofCharacter: event.start_mark.index)
        let end = source.byteOffset(ofCharacter: event.end_mark.index)
        var result = Event(kind: .streamEnd, range: start..<max(start, end))
        switch event.type {
        case YAML_STREAM_START_EVENT: result.kind = .streamStart
        case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
        case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
        case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
        case YAML_ALIAS_EVENT: result.kind = .alias(Self.string(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            result.kind = .scalar(text: String(decoding: value, as: UTF8.self), style: Self.style(scalar.style))
            result.anchor = Self.string(scalar.anchor)
            result.tag = Self.string(scalar.tag)
        case YAML_SEQUENCE_START_EVENT:
            result.kind = .sequenceStart
            result.anchor = Self.string(event.data.sequence_start.anchor)
            result.tag = Self.string(event.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            result.kind = .mappingStart
            result.anchor = Self.string(event.data.mapping_start.anchor)
            result.tag = Self.string(event.data.mapping_start.tag)
        default: break
        }
        return result
    }

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private static func style(_ style: yaml_scalar_style_t) -> Node.Scalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE: .literal
        case YAML_FOLDED_SCALAR_STYLE: .folded
        default: .plain
        }
    }

    private func failure() -> ConfigError {
        let state = parser.pointee
        if state.error == YAML_MEMORY_ERROR {
            return ConfigError(source.location(at: 0), .limit("out of memory"))
        }
        let offset =
            state.error == YAML_READER_ERROR
            ? Int(state.problem_offset) : source.byteOffset(ofCharacter: state.problem_mark.index)
        let place = source.location(at: offset)
        if offset < source.bytes.count, source.bytes[offset] == UInt8(ascii: "\t") {
            return ConfigError(place, .syntax("a tab cannot indent YAML; use spaces"))
        }
        var text = state.problem.map { String(cString: $0) } ?? "this is no YAML"
        if let context = state.context {
            let start = source.location(at: source.byteOffset(ofCharacter: state.context_mark.index))
            text += " " + String(cString: context)
            if start.line != place.line { text += " that starts in line \(start.line)" }
        }
        return ConfigError(place, .syntax(text))
    }
}
