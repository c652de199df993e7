import Glibc

/// What an errno means, in lower case and without the C library's locale.
package enum SystemError {
    package static func text(_ number: Int32) -> String {
        switch number {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET: "connection reset by the other side"
        case ECONNABORTED: "connection aborted"
        case EPIPE: "connection closed by the other side"
        case ETIMEDOUT: "no answer to the attempt to connect"
        case EHOSTUNREACH: "no route to the host"
        case ENETUNREACH: "the network is unreachable"
        case EADDRINUSE: "another program listens there"
        case EADDRNOTAVAIL: "no local address or port is free"
        case EMFILE, ENFILE: "too many open files"
        case EACCES, EPERM: "permission denied"
        case ENOENT: "no such file or directory"
        case EISDIR: "is a directory"
        case ENOMEM: "out of memory"
        case EAFNOSUPPORT: "the address family is not supported here"
        default: "system error \(number)"
        }
    }
}
