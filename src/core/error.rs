//! A failed system call: which one, and why, in libuv's numbers.
//!
//! `errno` is what Node puts on `err.errno`: the negated number of the operating system on Unix, a
//! number of libuv's own on Windows. The name (`ECONNRESET`) is made from it on the JavaScript side
//! by Node's own table, so the two can never differ.

use std::{fmt, io};

/// The system call that failed, by the name Node gives it in `err.syscall`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Syscall {
    /// `socket(2)` and `connect(2)`: nothing was sent.
    Connect = 0,
    /// `bind(2)`.
    Bind = 1,
    /// `listen(2)`, and whatever else goes wrong while a server is made.
    Listen = 2,
    /// `accept(2)`.
    Accept = 3,
    /// `recv(2)`.
    Read = 4,
    /// `send(2)`.
    Write = 5,
    /// `shutdown(2)`.
    Shutdown = 6,
    /// The outcome of `connect(2)` that the system tells later.
    Handshake = 7,
    /// `sendmsg(2)` of a datagram.
    Send = 8,
    /// `recvmsg(2)` of datagrams.
    Receive = 9,
}

impl Syscall {
    /// The word in `err.syscall` and in the message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect | Self::Handshake => "connect",
            Self::Bind => "bind",
            Self::Listen => "listen",
            Self::Accept => "accept",
            Self::Read => "read",
            Self::Write => "write",
            Self::Shutdown => "shutdown",
            Self::Send => "send",
            Self::Receive => "recvmsg",
        }
    }
}

/// A failed system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which call failed.
    pub syscall: Syscall,
    /// Why, in libuv's numbers: always negative.
    pub errno: i32,
}

impl Error {
    /// The failure `source` of `syscall`.
    #[must_use]
    pub fn new(syscall: Syscall, source: &io::Error) -> Self {
        Self {
            syscall,
            errno: errno(source),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed with {}", self.syscall.as_str(), self.errno)
    }
}

impl std::error::Error for Error {}

/// The number libuv gives to `error`.
///
/// Errors that no system call made (a path too long for a socket address, say) come as a kind
/// alone and get the number of that kind.
#[must_use]
pub fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().map_or_else(
        || platform::errno_of_kind(error.kind()),
        platform::errno_of_raw,
    )
}

#[cfg(unix)]
mod platform {
    use std::io::ErrorKind;

    pub(super) fn errno_of_raw(raw: i32) -> i32 {
        -raw
    }

    pub(super) fn errno_of_kind(kind: ErrorKind) -> i32 {
        match kind {
            ErrorKind::BrokenPipe => -libc::EPIPE,
            ErrorKind::InvalidInput => -libc::EINVAL,
            ErrorKind::Unsupported => -libc::ENOTSUP,
            _ => -libc::EIO,
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io::ErrorKind;

    /// libuv's numbers on Windows, where the system's own do not fit Node's names.
    pub(super) fn errno_of_raw(raw: i32) -> i32 {
        match raw {
            2 | 3 | 123 => -4058,     // ERROR_FILE_NOT_FOUND and its like: ENOENT
            5 => -4048,               // ERROR_ACCESS_DENIED: EPERM, as libuv has it
            109 | 232 | 233 => -4047, // ERROR_BROKEN_PIPE, ERROR_NO_DATA and its like: EPIPE
            121 => -4039,             // ERROR_SEM_TIMEOUT: ETIMEDOUT
            231 => -4082,             // ERROR_PIPE_BUSY: EBUSY
            10013 => -4092,           // WSAEACCES: EACCES
            10024 => -4066,           // WSAEMFILE: EMFILE
            10022 => -4071,           // WSAEINVAL: EINVAL
            10038 => -4050,           // WSAENOTSOCK: ENOTSOCK
            10040 => -4065,           // WSAEMSGSIZE: EMSGSIZE
            10047 => -4089,           // WSAEAFNOSUPPORT: EAFNOSUPPORT
            10048 => -4091,           // WSAEADDRINUSE: EADDRINUSE
            10049 => -4090,           // WSAEADDRNOTAVAIL: EADDRNOTAVAIL
            10050 => -4063,           // WSAENETDOWN: ENETDOWN
            10051 => -4062,           // WSAENETUNREACH: ENETUNREACH
            10053 => -4079,           // WSAECONNABORTED: ECONNABORTED
            10054 => -4077,           // WSAECONNRESET: ECONNRESET
            10055 => -4060,           // WSAENOBUFS: ENOBUFS
            10057 => -4053,           // WSAENOTCONN: ENOTCONN
            10058 => -4047,           // WSAESHUTDOWN: EPIPE, as libuv has it
            10060 => -4039,           // WSAETIMEDOUT: ETIMEDOUT
            10061 => -4078,           // WSAECONNREFUSED: ECONNREFUSED
            10065 => -4073,           // WSAEHOSTUNREACH: EHOSTUNREACH
            _ => -4094,               // UNKNOWN
        }
    }

    pub(super) fn errno_of_kind(kind: ErrorKind) -> i32 {
        match kind {
            ErrorKind::BrokenPipe => -4047,   // EPIPE
            ErrorKind::InvalidInput => -4071, // EINVAL
            ErrorKind::Unsupported => -4049,  // ENOTSUP
            _ => -4094,                       // UNKNOWN
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_system_is_negated() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(Error::new(Syscall::Connect, &refused).errno, -111);
    }

    #[test]
    fn an_error_that_no_system_call_made_has_a_number_too() {
        assert_eq!(errno(&io::ErrorKind::InvalidInput.into()), -22);
        assert_eq!(errno(&io::ErrorKind::BrokenPipe.into()), -32);
        assert_eq!(errno(&io::ErrorKind::Other.into()), -5);
    }
}
