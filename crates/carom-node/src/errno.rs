//! The numbers by which Node knows the system's errors: negative, those of libuv.

use std::io::{self, ErrorKind};

/// The system's error number as Node writes it; for what else goes wrong, that of `EINVAL` or `EIO`.
#[cfg(unix)]
pub(crate) fn errno(error: &io::Error) -> i32 {
    const INVALID: i32 = 22;
    const UNKNOWN: i32 = 5;
    let without = if error.kind() == ErrorKind::InvalidInput { INVALID } else { UNKNOWN };
    -error.raw_os_error().unwrap_or(without)
}

/// libuv has numbers of its own where the system's do not suit (`uv/errno.h`).
#[cfg(windows)]
pub(crate) fn errno(error: &io::Error) -> i32 {
    match error.raw_os_error() {
        // ERROR_TOO_MANY_OPEN_FILES, WSAEMFILE
        Some(4 | 10024) => return -4066, // EMFILE
        // ERROR_ACCESS_DENIED, which Node does not call EACCES
        Some(5) => return -4048, // EPERM
        // ERROR_INVALID_HANDLE, WSAEBADF
        Some(6 | 10009) => return -4083, // EBADF
        // ERROR_NO_SYSTEM_RESOURCES, ERROR_COMMITMENT_LIMIT
        Some(1450 | 1455) => return -4057, // ENOMEM
        // WSAENOTSOCK
        Some(10038) => return -4050, // ENOTSOCK
        // WSAEAFNOSUPPORT
        Some(10047) => return -4089, // EAFNOSUPPORT
        // WSAENOBUFS
        Some(10055) => return -4060, // ENOBUFS
        // ERROR_INVALID_NAME: libuv's choice
        Some(123) => return -4058, // ENOENT
        _ => {}
    }
    match error.kind() {
        ErrorKind::AddrInUse => -4091,          // EADDRINUSE
        ErrorKind::AddrNotAvailable => -4090,   // EADDRNOTAVAIL
        ErrorKind::BrokenPipe => -4047,         // EPIPE
        ErrorKind::ConnectionAborted => -4079,  // ECONNABORTED
        ErrorKind::ConnectionRefused => -4078,  // ECONNREFUSED
        ErrorKind::ConnectionReset => -4077,    // ECONNRESET
        ErrorKind::HostUnreachable => -4073,    // EHOSTUNREACH
        ErrorKind::InvalidInput => -4071,       // EINVAL
        ErrorKind::NetworkUnreachable => -4062, // ENETUNREACH
        ErrorKind::NotConnected => -4053,       // ENOTCONN
        ErrorKind::NotFound => -4058,           // ENOENT
        ErrorKind::OutOfMemory => -4057,        // ENOMEM
        ErrorKind::PermissionDenied => -4092,   // EACCES
        ErrorKind::TimedOut => -4039,           // ETIMEDOUT
        ErrorKind::Unsupported => -4049,        // ENOTSUP
        ErrorKind::WouldBlock => -4088,         // EAGAIN
        _ => -4070,                             // EIO
    }
}
