//! What is kept of many: the largest, the spread.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::TOP;
use crate::time::duration;

/// Size first, then the earlier; reversed, so that a heap shows the least.
type Rank = Reverse<(i64, Reverse<u64>)>;

/// The largest of many, by a number.
pub(super) struct Largest<T> {
    heap: BinaryHeap<(Rank, usize)>,
    lines: Vec<T>,
}

impl<T> Default for Largest<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), lines: Vec::new() }
    }
}

impl<T> Largest<T> {
    /// Takes a line if it is among the largest; `order` breaks ties in favour of the earlier.
    pub fn offer(&mut self, size: i64, order: u64, line: impl FnOnce() -> T) {
        let rank = Reverse((size, Reverse(order)));
        if self.lines.len() < TOP {
            self.heap.push((rank, self.lines.len()));
            self.lines.push(line());
        } else if let Some(mut least) = self.heap.peek_mut()
            && rank < least.0
        {
            self.lines[least.1] = line();
            least.0 = rank;
        }
    }

    /// The lines, largest first.
    pub fn into_lines(self) -> Vec<T> {
        let mut lines: Vec<Option<T>> = self.lines.into_iter().map(Some).collect();
        self.heap.into_sorted_vec().into_iter().filter_map(|(_, at)| lines[at].take()).collect()
    }
}

/// Minimum, mean and maximum of durations in nanoseconds.
#[derive(Default)]
pub(super) struct Spread {
    count: u64,
    sum: i128,
    least: i64,
    most: i64,
}

impl Spread {
    pub fn add(&mut self, nanos: i64) {
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.most = if self.count == 0 { nanos } else { self.most.max(nanos) };
        self.count += 1;
        self.sum += i128::from(nanos);
    }

    pub fn describe(&self) -> Option<String> {
        (self.count > 0).then(|| {
            let mean = (self.sum / i128::from(self.count)) as i64;
            format!("{} to {}, mean {}", duration(self.least), duration(self.most), duration(mean))
        })
    }
}
