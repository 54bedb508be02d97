//! Pieces of a byte sequence that arrive in any order: which ranges are there, and what stands in them.
//!
//! The first copy of a byte counts, so pieces never overlap. What a piece is, is the owner's matter.

use std::collections::BTreeMap;
use std::ops::Range;

/// What a piece costs in memory beside its content, about.
const OVERHEAD: usize = 192;

/// Pieces by their first offset; no two overlap.
#[derive(Debug)]
pub(crate) struct Pieces<T> {
    map: BTreeMap<u64, (u64, T)>,
    /// What they cover: pieces that touch are one run, from its key to its value. Asking for what is missing must
    /// not take longer the more pieces there are.
    runs: BTreeMap<u64, u64>,
    covered: u64,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { map: BTreeMap::new(), runs: BTreeMap::new(), covered: 0 }
    }
}

impl<T> Pieces<T> {
    /// The parts of `range` that no piece covers, in order.
    pub fn missing(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut at = range.start;
        let before = self.runs.range(..=at).next_back();
        for (start, end) in before.into_iter().chain(self.runs.range(at + 1..range.end.max(at + 1))) {
            if *start > at {
                missing.push(at..*start);
            }
            at = at.max(*end);
        }
        if at < range.end {
            missing.push(at..range.end);
        }
        missing
    }

    /// Puts a piece where [`missing`](Self::missing) has found none.
    pub fn insert(&mut self, range: Range<u64>, piece: T) {
        debug_assert!(range.start < range.end);
        self.covered += range.end - range.start;
        self.map.insert(range.start, (range.end - range.start, piece));
        let end = self.runs.remove(&range.end).unwrap_or(range.end);
        match self.runs.range_mut(..range.start).next_back() {
            Some((_, before)) if *before == range.start => *before = end,
            _ => drop(self.runs.insert(range.start, end)),
        }
    }

    /// Where the first piece begins.
    pub fn first(&self) -> Option<(u64, &T)> {
        self.map.first_key_value().map(|(start, (_, piece))| (*start, piece))
    }

    /// Takes the first piece.
    pub fn pop_first(&mut self) -> Option<(u64, T)> {
        let (start, (len, piece)) = self.map.pop_first()?;
        self.covered -= len;
        if let Some((_, end)) = self.runs.pop_first()
            && end > start + len
        {
            self.runs.insert(start + len, end);
        }
        Some((start, piece))
    }

    /// Bytes in all pieces.
    pub fn covered(&self) -> u64 {
        self.covered
    }

    /// Memory, about, in bytes.
    pub fn cost(&self) -> usize {
        self.covered as usize + self.map.len() * OVERHEAD
    }

    /// Whether there is no piece.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The pieces in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.map.values().map(|(_, piece)| piece)
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges, some of them of one")]
mod tests {
    use super::*;

    fn check(present: &[Range<u64>], asked: Range<u64>, expected: &[Range<u64>]) {
        let mut pieces = Pieces::default();
        present.iter().for_each(|range| pieces.insert(range.clone(), ()));
        assert_eq!(pieces.missing(asked.clone()), expected, "{present:?} asked for {asked:?}");
    }

    #[test]
    fn missing_ranges_are_found() {
        check(&[], 3..7, &[3..7]);
        check(&[3..7], 3..7, &[]);
        check(&[0..4], 3..7, &[4..7]);
        check(&[5..9], 3..7, &[3..5]);
        check(&[4..5], 3..7, &[3..4, 5..7]);
        check(&[0..1, 4..5, 7..9], 3..7, &[3..4, 5..7]);
        check(&[0..10], 3..7, &[]);
        check(&[3..4], 3..7, &[4..7]);
        check(&[2..3], 3..7, &[3..7]);
    }

    #[test]
    fn any_order_of_pieces_covers_each_byte_once() {
        let mut random = crate::craft::Random::new(7);
        for _ in 0..500 {
            let mut pieces = Pieces::default();
            let mut bytes = [0_u8; 64];
            for _ in 0..20 {
                let start = random.below(60) as u64;
                let end = start + 1 + random.below(64 - start as usize - 1) as u64;
                for range in pieces.missing(start..end) {
                    range.clone().for_each(|at| bytes[at as usize] += 1);
                    pieces.insert(range, ());
                }
            }
            assert!(bytes.iter().all(|&count| count <= 1));
            assert_eq!(pieces.covered(), bytes.iter().map(|&count| u64::from(count)).sum::<u64>());
        }
    }
}
