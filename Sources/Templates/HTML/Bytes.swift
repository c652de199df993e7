/// Bytes of a page.
typealias Bytes = ArraySlice<UInt8>

extension ArraySlice<UInt8> {
    func firstIndex(of text: String, from start: Int) -> Int? {
        guard start < endIndex else { return nil }
        return (start..<endIndex).first { self[$0] == text.utf8.first && self[$0...].starts(with: text.utf8) }
    }

    /// Whether it starts with a text of lower-case letters, in any case.
    func startsWithFolded(_ text: String) -> Bool {
        count >= text.utf8.count
            && zip(self, text.utf8).allSatisfy { $0 == $1 || ((0x41...0x5A).contains($0) && $0 | 0x20 == $1) }
    }

    /// The index behind HTML's white space at the start.
    var skippingSpace: Int { firstIndex { !" \t\n\u{0C}\r".utf8.contains($0) } ?? endIndex }
}

extension StringProtocol {
    func replacingOccurrences(of part: String, with replacement: String) -> String {
        var result: [UInt8] = []
        let bytes = Array(utf8)[...]
        var index = 0
        while let place = bytes.firstIndex(of: part, from: index) {
            result += bytes[index..<place]
            result += Array(replacement.utf8)
            index = place + part.utf8.count
        }
        return String(decoding: result + bytes[Swift.min(index, bytes.count)...], as: UTF8.self)
    }
}

/// HTML's character references, as far as templates write them in attributes.
enum Entities {
    private static let named: [String: String] = [
        "quot": "\"", "amp": "&", "lt": "<", "gt": ">", "apos": "'", "nbsp": "\u{A0}", "sol": "/", "colon": ":",
        "lpar": "(", "rpar": ")", "num": "#", "quest": "?", "equals": "=", "semi": ";", "grave": "`", "bsol": "\\",
        "Tab": "\t", "NewLine": "\n", "lbrace": "{", "rbrace": "}", "lcub": "{", "rcub": "}", "dollar": "$", "ast": "*",
    ]

    static func decoded(_ text: Bytes) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "&"), let (character, length) = reference(text[index...]) {
                result += Array(character.utf8)
                index += length
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func reference(_ text: Bytes) -> (String, Int)? {
        let body = text.dropFirst().prefix(12)
        guard let end = body.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let name = String(decoding: body[..<end], as: UTF8.self)
        let length = end + 1 - text.startIndex
        if let character = named[name] { return (character, length) }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let isHexadecimal = digits.hasPrefix("x") || digits.hasPrefix("X")
        let code = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return code.flatMap(Unicode.Scalar.init).map { (String($0), length) }
    }
}
