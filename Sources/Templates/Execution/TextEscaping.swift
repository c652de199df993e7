/// What text/template's own `html` and `js` make of a text.
enum TextEscaping {
    static func html(_ text: String) -> String {
        replace(text) { scalar in
            switch scalar {
            case "\0": "\u{FFFD}"
            case "\"": "&#34;"
            case "'": "&#39;"
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: nil
            }
        }
    }

    static func javaScript(_ text: String) -> String {
        replace(text) { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "'": "\\'"
            case "\"": "\\\""
            case "<": "\\u003C"
            case ">": "\\u003E"
            case "&": "\\u0026"
            case "=": "\\u003D"
            case _ where scalar.value < 0x20 || !scalar.isASCII && !GoText.isPrintable(scalar):
                scalar.value > 0xFFFF
                    ? nil : "\\u" + GoText.hexadecimal(scalar.value, width: 4, uppercase: true)
            default: nil
            }
        }
    }

    static func replace(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        var result = ""
        var changed = false
        for (index, scalar) in zip(text.unicodeScalars.indices, text.unicodeScalars) {
            if let new = replacement(scalar) {
                if !changed {
                    result = String(text.unicodeScalars[..<index])
                    changed = true
                }
                result += new
            } else if changed {
                result.unicodeScalars.append(scalar)
            }
        }
        return changed ? result : text
    }
}
