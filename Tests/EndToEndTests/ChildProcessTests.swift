import Glibc
import TestKit
import Testing

/// What every test that starts a program relies on.
@Suite struct ChildProcessTests {
    @Test(arguments: [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", -9)])
    func `the end of a program is told as it was`(script: String, status: Int32) async throws {
        #expect(try await Outcome(of: "sh", ["-c", script]).status == status)
    }

    @Test func `output, errors and environment are its own`() async throws {
        let outcome = try await Outcome(
            of: "sh", ["-c", "echo $TOCSIN_WORD; echo no >&2; cat"], environment: ["TOCSIN_WORD": "a b"])
        #expect(outcome.output == "a b\n")
        #expect(outcome.errors == "no\n")
    }

    @Test func `a program that is not there is an error`() {
        #expect(throws: ChildProcess.NotStarted.self) { try ChildProcess("/nowhere/tocsin", []) }
    }

    @Test func `programs start beside two thousand open files, and see none of them`() async throws {
        let files = (0..<2000).map { _ in open("/dev/null", O_RDONLY) }
        defer { for file in files where file >= 0 { close(file) } }
        try #require(files.allSatisfy { $0 >= 0 })
        for _ in 0..<20 {
            #expect(try await Outcome(of: "sh", ["-c", "ls /proc/$$/fd"]).output == "0\n1\n2\n")
        }
    }
}
