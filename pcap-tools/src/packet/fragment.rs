//! IP fragments: pieces in, whole packets out; bounded, and the first copy of a byte counts.
//!
//! Written here because `etherparse`'s pool lets a later copy win and grows without a limit.
//! Source: RFC 791 §3.2, RFC 8200 §4.5.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use etherparse::{Ipv6ExtensionSlice, LaxIpSlice};

use super::IpPacket;
use crate::pieces::Pieces;
use crate::time::Mark;

/// Bytes kept for packets that are not whole; beyond it the oldest packet is given up.
const MAX_BYTES: usize = 16 << 20;

/// So many fragments of a packet are listed: more than IPv4 has room for.
const MAX_PARTS: usize = 1 << 14;

/// What a packet that is not whole costs beside its pieces, about: even one of which no byte has come.
const PARTIAL_COST: usize = 1 << 10;

/// What the header of a fragment says of its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    identification: u32,
    offset: u64,
    more: bool,
}

impl Fragment {
    /// Reads it from the fragment's headers; `None` if there is none, or a hop-by-hop chain hides it.
    pub(super) fn of(ip: &LaxIpSlice<'_>) -> Option<Self> {
        match ip {
            LaxIpSlice::Ipv4(ip) => {
                let header = ip.header();
                Some(Self {
                    identification: u32::from(header.identification()),
                    offset: u64::from(header.fragments_offset().byte_offset()),
                    more: header.more_fragments(),
                })
            }
            LaxIpSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|extension| match extension {
                Ipv6ExtensionSlice::Fragment(header) => Some(Self {
                    identification: header.identification(),
                    offset: u64::from(header.fragment_offset().byte_offset()),
                    more: header.more_fragments(),
                }),
                _ => None,
            }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    identification: u32,
}

/// What a frame brought of a packet. Numbers in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub frame: u64,
    pub offset: u64,
    pub len: usize,
}

/// A packet that is not whole yet.
#[derive(Default, Debug)]
struct Partial {
    pieces: Pieces<Vec<u8>>,
    parts: Vec<Part>,
    len: Option<u64>,
    last: Option<Mark>,
    serial: u64,
}

impl Partial {
    /// Memory, about, in bytes.
    fn cost(&self) -> usize {
        PARTIAL_COST + self.pieces.cost()
    }
}

/// The packets that are not whole yet.
#[derive(Default, Debug)]
pub(super) struct Fragments {
    partial: HashMap<Key, Partial>,
    /// The same in order of their first fragments, by serial number.
    order: BTreeMap<u64, Key>,
    begun: u64,
    cost: usize,
    whole: Vec<u8>,
    /// What the last whole packet was made of, and in which frame that was.
    parts: Vec<Part>,
    whole_in: u64,
    lost: Vec<Mark>,
}

impl Fragments {
    /// Adds a fragment; returns the packet if it is whole now.
    pub(super) fn add(&mut self, fragment: Fragment, packet: IpPacket<'_>, mark: Mark) -> Option<IpPacket<'_>> {
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            identification: fragment.identification,
        };
        let partial = self.partial.entry(key).or_insert_with(|| {
            self.begun += 1;
            self.cost += PARTIAL_COST;
            self.order.insert(self.begun, key);
            Partial { serial: self.begun, ..Partial::default() }
        });
        partial.last = Some(mark);
        if partial.parts.len() < MAX_PARTS {
            partial.parts.push(Part { frame: mark.frame, offset: fragment.offset, len: packet.payload.len() });
        }
        let range = fragment.offset..fragment.offset + packet.payload.len() as u64;
        if !fragment.more {
            partial.len.get_or_insert(range.end);
        }
        self.cost -= partial.cost();
        for fresh in partial.pieces.missing(range) {
            let bytes = &packet.payload[(fresh.start - fragment.offset) as usize..(fresh.end - fragment.offset) as usize];
            partial.pieces.insert(fresh, bytes.to_vec());
        }
        self.cost += partial.cost();
        if partial.len.is_none_or(|len| partial.pieces.covered() < len) {
            self.limit();
            return None;
        }
        let partial = self.partial.remove(&key)?;
        self.cost -= partial.cost();
        self.order.remove(&partial.serial);
        self.whole.clear();
        (self.parts, self.whole_in) = (partial.parts, mark.frame);
        self.parts.sort_by_key(|part| part.offset);
        partial.pieces.iter().for_each(|piece| self.whole.extend_from_slice(piece));
        Some(IpPacket { payload: &self.whole, payload_len: self.whole.len(), ..packet })
    }

    /// The packet that this frame made whole, and its parts in order.
    pub(super) fn whole_in(&self, frame: u64) -> Option<(&[u8], &[Part])> {
        (self.whole_in == frame).then_some((&self.whole, &self.parts))
    }

    /// Packets that were given up since the last call: the last fragment of each.
    pub(super) fn take_lost(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.lost)
    }

    /// Gives up every packet that is not whole.
    pub(super) fn give_up(&mut self) {
        while let Some((_, key)) = self.order.pop_first() {
            self.drop_partial(key);
        }
    }

    fn limit(&mut self) {
        while self.cost > MAX_BYTES {
            let Some((_, key)) = self.order.pop_first() else { break };
            self.drop_partial(key);
        }
    }

    fn drop_partial(&mut self, key: Key) {
        if let Some(partial) = self.partial.remove(&key) {
            self.cost -= partial.cost();
            self.lost.extend(partial.last);
        }
    }
}
