//! Random draws that are the same on every machine and in every release.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

/// What a stream of draws is for; streams of one seed are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Which subject a row shows.
    Subject = 1,
    /// When and where a subject was posted.
    Geo = 2,
    /// What was posted.
    Pin = 3,
    /// Who posted it: the person.
    Person = 4,
    /// What is the row's own of a user record, such as how its time is spelt.
    User = 5,
    /// Which rows of the pin topic are malformed, and how.
    BadPin = 6,
    /// The same of the geo topic.
    BadGeo = 7,
    /// The same of the user topic.
    BadUser = 8,
}

/// A generator that depends on nothing but seed, stream and position.
pub(super) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The generator at `position` of a stream.
    pub fn new(seed: u64, stream: Stream, position: u64) -> Draw {
        let mixed = mix(mix(seed.wrapping_add(stream as u64)).wrapping_add(position));
        Draw(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `n - 1`.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        scale(self.bits(), n)
    }

    /// Whether something happens that happens `share` of 10,000 times.
    #[inline]
    pub fn chance(&mut self, share: u32) -> bool {
        self.below(10_000) < share
    }

    /// One entry of a table.
    #[inline]
    pub fn pick(&mut self, table: &'static [&'static str]) -> &'static str {
        pick(table, self.bits())
    }
}

/// The entry of a table that the high half of `bits` names.
#[inline]
pub(super) fn pick(table: &'static [&'static str], bits: u64) -> &'static str {
    table[scale(bits, table.len() as u32) as usize]
}

/// The high half of `bits`, scaled to 0 to `n - 1` by multiply and shift: no
/// division, and a bias of less than n / 2^32.
#[inline]
pub(super) fn scale(bits: u64, n: u32) -> u32 {
    (((bits >> 32) * u64::from(n)) >> 32) as u32
}

/// The output function of SplitMix64.
pub(super) fn mix(x: u64) -> u64 {
    let z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_the_same_in_every_release() {
        let mut draw = Draw::new(42, Stream::Pin, 7);
        assert_eq!([draw.below(1000), draw.below(1000), draw.below(1000)], [81, 312, 796]);
    }

    #[test]
    fn draws_cover_their_range_evenly() {
        let mut draw = Draw::new(1, Stream::Geo, 0);
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|_| counts[draw.below(7) as usize] += 1);
        assert!(counts.iter().all(|n| (9_500..10_500).contains(n)), "{counts:?}");
    }
}
