extension String {
    /// At most `count` characters (Unicode scalars), the last of them an ellipsis where something was cut, as
    /// Alertmanager cuts what services bound.
    func truncated(toScalars count: Int) -> String {
        guard unicodeScalars.count > count else { return self }
        if count <= 3 { return String(String.UnicodeScalarView(unicodeScalars.prefix(count))) }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(count - 1))) + "…"
    }

    /// At most `count` bytes of UTF-8, between two characters and with an ellipsis where something was cut and there is
    /// room for one.
    func truncated(toBytes count: Int) -> String {
        guard utf8.count > count else { return self }
        let mark = count > 3 ? "…" : ""
        var kept = utf8.index(startIndex, offsetBy: max(0, count - mark.utf8.count))
        while kept > startIndex, String.Index(kept, within: unicodeScalars) == nil { kept = utf8.index(before: kept) }
        return String(self[..<kept]) + mark
    }
}

extension StringProtocol {
    /// Without white space at its ends.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}
