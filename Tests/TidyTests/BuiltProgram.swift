import Foundation

/// The program `tocsin` that was built together with these tests, in the same folder.
enum BuiltProgram {
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tocsin").path
}
