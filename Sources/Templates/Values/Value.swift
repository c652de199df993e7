/// What a template works on: Go's values, as far as templates can tell them apart.
package enum Value: Sendable {
    /// No value at all: a missing key, a nil that reached the end of a pipeline. Prints as `<no value>`.
    case absent
    /// A nil that is held by a map or list. Prints as `<nil>` among arguments.
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case complex(Double, Double)
    case string(String)
    /// A string that says in which context it is safe as it is.
    case trusted(TrustedContent, String)
    /// An integer with a name, such as a month: its number, its name, and the name of its type.
    case named(Int, String, type: String)
    /// Nanoseconds.
    case duration(Int64)
    case time(Moment)
    case list(List)
    case map(Map)
    case record(Record)

    /// A plain list (`[]interface {}`).
    package static func plainList(_ elements: [Value]) -> Value { .list(List(.any, elements)) }
    /// A list of strings (`[]string`).
    package static func strings(_ elements: [String]) -> Value { .list(List(.strings, elements.map(Value.string))) }
    /// A plain map (`map[string]interface {}`).
    package static func plainMap(_ entries: [String: Value]) -> Value { .map(Map(.any, entries)) }
    /// A map of strings (`map[string]string`).
    package static func stringMap(_ entries: [String: String]) -> Value {
        .map(Map(.strings, entries.mapValues(Value.string)))
    }
}

/// The contexts that a trusted string can be meant for (html/template's typed strings).
package enum TrustedContent: Sendable { case html, url }

/// A list with its type.
package struct List: Sendable {
    package let type: ListType
    package let elements: [Value]
    /// How many lists and maps stand inside of one another.
    let depth: Int

    package init(_ type: ListType, _ elements: [Value]) {
        self.type = type
        self.elements = elements
        depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    }
}

/// A map from strings, with its type.
package struct Map: Sendable {
    package let type: MapType
    package let entries: [String: Value]
    let depth: Int

    package init(_ type: MapType, _ entries: [String: Value]) {
        self.type = type
        self.entries = entries
        depth = 1 + (entries.values.lazy.map(\.depth).max() ?? 0)
    }

    /// Keys in the order in which Go prints and ranges: by bytes.
    var sortedKeys: [String] { entries.keys.sorted(by: isOrderedByBytes) }
}

/// A struct with its type; the fields stand in the order of `RecordType.fields`.
package struct Record: Sendable {
    package let type: RecordType
    package let values: [Value]

    package init(_ type: RecordType, _ values: [Value]) {
        precondition(type.fields.count == values.count, "a record needs one value a field")
        self.type = type
        self.values = values
    }

    func value(_ name: String) -> Value? { type.fields.firstIndex(of: name).map { values[$0] } }
}

/// The name, methods and printed form of a kind of list.
package final class ListType: Sendable {
    let name: String
    let holdsAny: Bool
    let elementName: String
    let methods: [String: Function]
    let text: (@Sendable (List) -> String)?

    init(
        name: String, elementName: String, holdsAny: Bool = false, methods: [String: Function] = [:],
        text: (@Sendable (List) -> String)? = nil
    ) {
        self.name = name
        self.elementName = elementName
        self.holdsAny = holdsAny
        self.methods = methods
        self.text = text
    }

    package static let any = ListType(name: "[]interface {}", elementName: "interface {}", holdsAny: true)
    package static let strings = ListType(name: "[]string", elementName: "string")
}

/// The name, methods and printed form of a kind of map.
package final class MapType: Sendable {
    let name: String
    let elementName: String
    /// What a missing key gives where missing keys give zero values.
    let zero: Value
    let methods: [String: Function]
    let text: (@Sendable (Map) -> String)?

    init(
        name: String, elementName: String, zero: Value, methods: [String: Function] = [:],
        text: (@Sendable (Map) -> String)? = nil
    ) {
        self.name = name
        self.elementName = elementName
        self.zero = zero
        self.methods = methods
        self.text = text
    }

    package static let any = MapType(name: "map[string]interface {}", elementName: "interface {}", zero: .null)
    package static let strings = MapType(name: "map[string]string", elementName: "string", zero: .string(""))
}

/// The name, fields and methods of a kind of struct.
package final class RecordType: Sendable {
    let name: String
    let fields: [String]
    let methods: [String: Function]
    /// Keys in JSON, a name for each field; nil: the fields' own names.
    let jsonNames: [String]?

    init(name: String, fields: [String], methods: [String: Function] = [:], jsonNames: [String]? = nil) {
        self.name = name
        self.fields = fields
        self.methods = methods
        self.jsonNames = jsonNames
    }
}

extension Value {
    /// The name that Go gives to the type.
    var typeName: String {
        switch self {
        case .absent, .null: "<nil>"
        case .bool: "bool"
        case .int: "int"
        case .double: "float64"
        case .complex: "complex128"
        case .string: "string"
        case .trusted(.html, _): "template.HTML"
        case .trusted(.url, _): "template.URL"
        case .named(_, _, let type): type
        case .duration: "time.Duration"
        case .time: "time.Time"
        case .list(let list): list.type.name
        case .map(let map): map.type.name
        case .record(let record): record.type.name
        }
    }

    /// Go's truth: neither zero nor empty; structs are always true.
    var isTrue: Bool {
        switch self {
        case .absent, .null: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .complex(let real, let imaginary): real != 0 || imaginary != 0
        case .string(let value), .trusted(_, let value): !value.isEmpty
        case .named(let value, _, _): value != 0
        case .duration(let value): value != 0
        case .time, .record: true
        case .list(let list): !list.elements.isEmpty
        case .map(let map): !map.entries.isEmpty
        }
    }

    var isNil: Bool {
        switch self {
        case .absent, .null: true
        default: false
        }
    }

    var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .map(let map): map.depth
        case .record(let record): 1 + (record.values.lazy.map(\.depth).max() ?? 0)
        default: 0
        }
    }

    /// The value as the end of a pipeline sees it: a nil is no value.
    var unwrapped: Value {
        if case .null = self { return .absent }
        return self
    }
}

/// Go's order of strings. (Swift's own `<` and `==` go by characters, and take some different bytes for the same.)
func isOrderedByBytes(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
func isSameBytes(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
