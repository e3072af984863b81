//! Records that the sink delivered again: which are dropped, and the proof.
//!
//! Under the default partitioner neighbours do not overlap unless the sink
//! delivered again: a record at or past the next object's start is there twice,
//! and so is one before the end of what an earlier run committed. That holds
//! only if a line is an offset. It is not if a Kafka message holds several lines
//! (`ByteArrayFormat`, `StringConverter`), so each record that is dropped for a
//! later one is compared with it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::pipeline::plan::Shard;

/// So many records of an overlap are remembered; more stay unproven.
const REMEMBERED: usize = 1 << 20;

/// What becomes of records whose offsets say that they are there twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeats {
    /// One of the two is dropped.
    #[default]
    Drop,
    /// Both are kept: offsets are not to be trusted.
    Keep,
}

/// The overlaps of one shard.
#[derive(Default)]
pub(super) struct Overlap {
    repeats: Repeats,
    hasher: RandomState,
    /// By offset, the hash of a record that was dropped for a later one.
    dropped: HashMap<u64, u64>,
    forgotten: u64,
}

impl Overlap {
    pub fn new(repeats: Repeats) -> Overlap {
        Overlap { repeats, ..Overlap::default() }
    }

    /// The offsets of an object that are no duplicates.
    pub fn keep(&self, shard: &Shard, object: usize) -> Range<u64> {
        if self.repeats == Repeats::Keep || !shard.source.is_default_partitioner() {
            return 0..u64::MAX;
        }
        let next = shard.objects.get(object + 1).map(|next| next.start).or(shard.next_start);
        shard.floor..next.unwrap_or(u64::MAX)
    }

    /// Remembers a record that was dropped for a later one.
    pub fn drop(&mut self, offset: u64, text: &[u8]) {
        if self.dropped.len() < REMEMBERED {
            self.dropped.insert(offset, self.hasher.hash_one(text));
        } else {
            self.forgotten += 1;
        }
    }

    /// Counts a record that was dropped for one that an earlier run committed.
    pub fn drop_committed(&mut self) {
        self.forgotten += 1;
    }

    /// Whether another record than this one was dropped for it.
    pub fn contradicts(&mut self, offset: u64, text: &[u8]) -> bool {
        // Nearly always nothing was dropped.
        !self.dropped.is_empty()
            && self.dropped.remove(&offset).is_some_and(|hash| hash != self.hasher.hash_one(text))
    }

    /// Records that were dropped, and the ones that they repeat were not seen.
    pub fn unproven(&self) -> u64 {
        self.dropped.len() as u64 + self.forgotten
    }
}
