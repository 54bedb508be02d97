//! Which connection a segment belongs to: addresses and ports in, a slot's index out.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;

use super::Pair;
use crate::packet::{Endpoint, Segment};

/// Both ends of a connection, whichever of them sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// Address and port of both ends, the lower first, in 48 bits each.
    V4(u128),
    /// As above, in 144 bits each.
    V6([(u128, u16); 2]),
}

impl Key {
    pub(super) fn of(segment: &Segment<'_>) -> Self {
        Self::between(&Pair([segment.source, segment.destination]))
    }

    pub(super) fn between(ends: &Pair<Endpoint>) -> Self {
        let [one, two] = ends.0;
        if let (IpAddr::V4(a), IpAddr::V4(b)) = (one.ip, two.ip) {
            let a = u64::from(a.to_bits()) << 16 | u64::from(one.port);
            let b = u64::from(b.to_bits()) << 16 | u64::from(two.port);
            return Self::V4(u128::from(a.min(b)) << 64 | u128::from(a.max(b)));
        }
        let wide = |end: Endpoint| match end.ip {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped().to_bits(), end.port),
            IpAddr::V6(ip) => (ip.to_bits(), end.port),
        };
        let (a, b) = (wide(one), wide(two));
        Self::V6([a.min(b), a.max(b)])
    }
}

/// Keyed by a hash with a random seed: captures are untrusted.
#[derive(Default, Debug)]
pub(super) struct Table {
    v4: HashMap<u128, u32, RandomState>,
    v6: HashMap<[(u128, u16); 2], u32, RandomState>,
}

impl Table {
    pub(super) fn get(&self, key: &Key) -> Option<u32> {
        match key {
            Key::V4(key) => self.v4.get(key),
            Key::V6(key) => self.v6.get(key),
        }
        .copied()
    }

    pub(super) fn insert(&mut self, key: Key, slot: u32) {
        match key {
            Key::V4(key) => self.v4.insert(key, slot),
            Key::V6(key) => self.v6.insert(key, slot),
        };
    }

    pub(super) fn remove(&mut self, key: &Key) {
        match key {
            Key::V4(key) => self.v4.remove(key),
            Key::V6(key) => self.v6.remove(key),
        };
    }
}
