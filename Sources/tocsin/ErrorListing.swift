import YAML

/// Errors as a compiler prints them: one line each. Below one inside an expression stand the line of the file and a caret at
/// the place.
///
/// Only expressions are shown: other lines may hold a secret.
enum ErrorListing {
    /// Of the line, so that one without an end does not fill the screen.
    private static let before = 60
    private static let after = 60

    static func lines(_ errors: ConfigErrors) -> [String] {
        var files: [String: SourceText] = [:]
        return errors.errors.flatMap { error in
            guard case .expression = error.problem else { return ["\(error)"] }
            let file = error.location.file
            // It has been read before; what can't be read again is told without its line.
            if files[file] == nil { files[file] = try? SourceText(contentsOf: file) }
            return ["\(error)"] + (files[file].map { excerpt($0, error.location) } ?? [])
        }
    }

    private static func excerpt(_ source: SourceText, _ place: SourceLocation) -> [String] {
        guard let line = source.line(place.line) else { return [] }
        let scalars = Array(line.unicodeScalars)
        let column = min(place.column - 1, scalars.count)
        let start = max(0, column - before)
        let shown = scalars[start..<min(scalars.count, column + after)]
        func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return Terminal.plain(String(view))
        }
        // A tab is as wide below as it is above.
        let blanks = scalars[start..<column].map { $0 == "\t" ? "\t" : " " as Unicode.Scalar }
        var caret = String.UnicodeScalarView()
        caret.append(contentsOf: blanks)
        return [text(shown), String(caret) + "^"]
    }
}
