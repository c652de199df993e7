internal import Glibc
internal import Streams
internal import YAML

/// Finds the files that a path or a pattern means.
enum FileSearch {
    enum Kind { case file, folder, missing }

    static func kind(of path: String) -> Kind {
        var status = stat()
        guard stat(path, &status) == 0 else { return .missing }
        return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    /// The `*.yml` and `*.yaml` files right in a folder, sorted; hidden ones are left out.
    static func yamlFiles(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix("."), name.hasSuffix(".yml") || name.hasSuffix(".yaml") { names.append(name) }
        }
        let base = folder.hasSuffix("/") ? folder : folder + "/"
        return names.sorted().map { base + $0 }.filter { kind(of: $0) == .file }
    }

    static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

    /// The files that a pattern matches, sorted: `*`, `?` and `[...]` within one folder's names, as in Go's `filepath.Glob`.
    static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { index in
            found.gl_pathv[index].map { String(cString: $0) }
        }
    }

    /// The one path of a file, whatever way it is written.
    static func canonical(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The files that a list of paths and patterns means, each once; what a path without a pattern names has to be there.
    static func files(_ patterns: [Located<String>], _ diagnostics: Diagnostics) -> [Located<String>] {
        var seen: Set<String> = []
        var result: [Located<String>] = []
        for pattern in patterns {
            let path = pattern.node.source.resolve(pattern.value)
            var paths = isPattern(path) ? matches(path) : [path]
            if isPattern(path), paths.isEmpty {
                diagnostics.note("no file matches \(pattern.node.summary)", at: pattern.node)
            }
            if !isPattern(path), kind(of: path) != .file {
                diagnostics.report(.unreadable("there is no file \(quoted(path))"), at: pattern.node)
                paths = []
            }
            for path in paths where kind(of: path) == .file && seen.insert(canonical(path)).inserted {
                result.append(Located(path, pattern.node))
            }
        }
        return result
    }
}
