//! The link layer around an IP packet.
//!
//! In: an IP packet. Out: the frame that an interface of some link type would have delivered.
//! Left to others: the packet itself (`ip`), the file (`file`).
//!
//! Source: <https://www.tcpdump.org/linktypes.html>.

use super::Endian;

/// The number by which a capture file names a link layer.
pub type LinkType = u16;

/// BSD loopback: the address family in the capturing host's byte order, then the packet.
pub const NULL: LinkType = 0;
/// Ethernet, without preamble and frame check sequence.
pub const ETHERNET: LinkType = 1;
/// A bare IP packet of either version.
pub const RAW: LinkType = 101;
/// OpenBSD loopback: as [`NULL`], but always big-endian.
pub const LOOP: LinkType = 108;
/// Linux "cooked", version 1: what `-i any` used to deliver.
pub const LINUX_SLL: LinkType = 113;
/// A bare IPv4 packet.
pub const IPV4: LinkType = 228;
/// A bare IPv6 packet.
pub const IPV6: LinkType = 229;
/// Linux "cooked", version 2: what `-i any` delivers.
pub const LINUX_SLL2: LinkType = 276;

const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];
const SERVER_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x02];
const ARPHRD_ETHER: u16 = 1;

/// Wraps an IP packet into the link layer that `link_type` names.
///
/// Loopback frames are those of a little-endian Mac: family 2 for IPv4, 30 for IPv6.
/// Panics if `link_type` is none of this module's constants, or `packet` is not of IP version 4 or 6.
pub fn frame(link_type: LinkType, packet: &[u8]) -> Vec<u8> {
    match link_type {
        NULL => null(address_family(packet), Endian::Little, packet),
        ETHERNET => ethernet(&[], packet),
        RAW | IPV4 | IPV6 => packet.to_vec(),
        LOOP => null(address_family(packet), Endian::Big, packet),
        LINUX_SLL => linux_sll(packet),
        LINUX_SLL2 => linux_sll2(packet),
        other => panic!("craft has no frames of link type {other}"),
    }
}

/// An Ethernet II frame, not padded to the minimum. `tags` are (TPID, VLAN identifier) pairs, the outermost first.
///
/// Panics if `packet` is not of IP version 4 or 6.
pub fn ethernet(tags: &[(u16, u16)], packet: &[u8]) -> Vec<u8> {
    let mut bytes = [SERVER_MAC, CLIENT_MAC].concat();
    for (tpid, vid) in tags {
        bytes.extend(tpid.to_be_bytes());
        bytes.extend(vid.to_be_bytes());
    }
    bytes.extend(ether_type(packet).to_be_bytes());
    bytes.extend_from_slice(packet);
    bytes
}

/// A loopback frame with any address family, in either byte order.
pub fn null(address_family: u32, endian: Endian, packet: &[u8]) -> Vec<u8> {
    [&endian.u32(address_family), packet].concat()
}

/// Packet type, ARPHRD type, address length, address in 8 bytes, protocol.
fn linux_sll(packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(ARPHRD_ETHER.to_be_bytes());
    bytes.extend((CLIENT_MAC.len() as u16).to_be_bytes());
    bytes.extend(CLIENT_MAC);
    bytes.extend([0, 0]);
    bytes.extend(ether_type(packet).to_be_bytes());
    bytes.extend_from_slice(packet);
    bytes
}

/// Protocol, reserved, interface index, ARPHRD type, packet type, address length, address in 8 bytes.
fn linux_sll2(packet: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::from(ether_type(packet).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(ARPHRD_ETHER.to_be_bytes());
    bytes.extend([0, CLIENT_MAC.len() as u8]);
    bytes.extend(CLIENT_MAC);
    bytes.extend([0, 0]);
    bytes.extend_from_slice(packet);
    bytes
}

fn ether_type(packet: &[u8]) -> u16 {
    match version(packet) {
        4 => 0x0800,
        _ => 0x86DD,
    }
}

fn address_family(packet: &[u8]) -> u32 {
    match version(packet) {
        4 => 2,
        _ => 30,
    }
}

fn version(packet: &[u8]) -> u8 {
    let version = packet[0] >> 4;
    assert!(matches!(version, 4 | 6), "IP has versions 4 and 6, not {version}");
    version
}

#[cfg(test)]
mod tests {
    use super::{ETHERNET, IPV4, IPV6, LINUX_SLL, LINUX_SLL2, LOOP, LinkType, NULL, RAW};
    use super::{Endian, ethernet, frame, null};

    const V4: &[u8] = &[0x45];
    const V6: &[u8] = &[0x60];

    fn check(link_type: LinkType, packet: &[u8], expected_head: &[u8]) {
        assert_eq!(frame(link_type, packet), [expected_head, packet].concat());
    }

    #[test]
    fn frames_of_every_link_type() {
        check(NULL, V4, &[2, 0, 0, 0]);
        check(NULL, V6, &[30, 0, 0, 0]);
        check(LOOP, V4, &[0, 0, 0, 2]);
        for bare in [RAW, IPV4, IPV6] {
            check(bare, V6, &[]);
        }
        check(ETHERNET, V4, &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
        check(LINUX_SLL, V6, &[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x86, 0xDD]);
        check(LINUX_SLL2, V4, &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn vlan_tags_stand_before_the_ether_type() {
        let tagged = ethernet(&[(0x88A8, 7), (0x8100, 300)], V4);
        assert_eq!(tagged[12..], [0x88, 0xA8, 0, 7, 0x81, 0, 1, 44, 8, 0, 0x45]);
    }

    #[test]
    fn loopback_of_other_systems() {
        assert_eq!(null(24, Endian::Big, V6), [0, 0, 0, 24, 0x60]);
        assert_eq!(null(28, Endian::Little, V6), [28, 0, 0, 0, 0x60]);
    }
}
