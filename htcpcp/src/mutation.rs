//! For tests only: many damaged copies of a sample, the same ones in every run.

const ROUNDS: u32 = 3000;

/// Calls `read` with damaged copies of `sample`: bytes changed, removed and added, ends cut off.
pub(crate) fn each(sample: &[u8], mut read: impl FnMut(&[u8])) {
    let mut random = Lcg(sample.len() as u64 + 1);
    for _ in 0..ROUNDS {
        let mut bytes = sample.to_vec();
        for _ in 0..=random.below(3) {
            damage(&mut bytes, &mut random);
        }
        read(&bytes);
    }
}

/// Changes, removes or adds a byte, or cuts off the end.
pub(crate) fn damage(bytes: &mut Vec<u8>, random: &mut Lcg) {
    let at = random.below(bytes.len() + 1);
    match random.below(4) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.byte()),
        2 if at < bytes.len() => drop(bytes.remove(at)),
        _ if at < bytes.len() => bytes[at] = random.byte(),
        _ => {}
    }
}

/// A linear congruential generator with Knuth's MMIX constants.
pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    /// Half of the bytes mean something to one of the grammars.
    fn byte(&mut self) -> u8 {
        const TELLING: &[u8] = b" \t\r\n/:;,#%?=*.019-\x00\x7f\x80\xc3";
        if self.below(2) == 0 { TELLING[self.below(TELLING.len())] } else { self.next() as u8 }
    }
}
