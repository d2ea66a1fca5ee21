//! How many datagrams the system has dropped because a socket's buffer was full.
//!
//! Linux counts them per socket and shows the count in `/proc/net/udp` and `/proc/net/udp6`, where a socket is known
//! by the number of its inode. (The same number with a received datagram, `SO_RXQ_OVFL`, is that of the time when the
//! datagram came, and so never tells of the last ones.) Other systems have no such count.

#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;

use tokio::net::UdpSocket;

/// Datagrams dropped so far; `None` where the system does not tell. It reads a line for each UDP socket of the
/// machine.
#[cfg(target_os = "linux")]
pub(crate) fn dropped(socket: &UdpSocket) -> Option<u64> {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    let descriptor = format!("/proc/self/fd/{}", socket.as_raw_fd());
    let inode = fs::metadata(descriptor).ok()?.ino();
    let is_ipv4 = socket.local_addr().ok()?.is_ipv4();
    let table = if is_ipv4 { "udp" } else { "udp6" };
    let table = fs::read_to_string(format!("/proc/self/net/{table}")).ok()?;
    in_table(&table, inode)
}

/// Other systems have no count of a single socket.
#[cfg(not(target_os = "linux"))]
pub(crate) fn dropped(_socket: &UdpSocket) -> Option<u64> {
    None
}

/// The last column of the line whose tenth is `inode`.
#[cfg(any(target_os = "linux", test))]
fn in_table(table: &str, inode: u64) -> Option<u64> {
    const INODE: usize = 9;
    let wanted = inode.to_string();
    let line = table
        .lines()
        .find(|line| line.split_ascii_whitespace().nth(INODE) == Some(&wanted))?;
    line.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_found_by_its_inode() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1234: 0100007F:A1B2 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
 1235: 00000000:14E9 00000000:0000 07 00000000:00034500 00:00000000 00000000  1000        0 4712 2 0000000000000000 98765
";
        assert_eq!(in_table(table, 4711), Some(0));
        assert_eq!(in_table(table, 4712), Some(98765));
        assert_eq!(in_table(table, 471), None);
        assert_eq!(in_table("", 4711), None);
    }
}
