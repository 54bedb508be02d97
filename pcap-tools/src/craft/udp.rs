//! UDP datagrams in their IP packets.
//!
//! Source: RFC 768.

use std::net::SocketAddr;

use super::ip::{ip, transport_checksum};

const UDP: u8 = 17;
const HEADER_LEN: u16 = 8;

/// The IP packet that carries one datagram, with the checksum that is right.
///
/// Panics if the ends are of two IP versions, or the payload is too long for one datagram.
pub fn datagram(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).ok().and_then(|len| len.checked_add(HEADER_LEN));
    let len = len.unwrap_or_else(|| panic!("{} bytes in a datagram", payload.len()));
    let mut bytes: Vec<u8> = [src.port(), dst.port(), len, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend(payload);
    let checksum = transport_checksum(src.ip(), dst.ip(), UDP, &bytes);
    bytes[6..8].copy_from_slice(&checksum.to_be_bytes());
    ip(src.ip(), dst.ip(), UDP, &bytes)
}
