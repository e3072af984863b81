//! Records that the sink delivered again: which are dropped, and the proof.
//!
//! Under the default partitioner neighbours do not overlap unless the sink
//! delivered again: a record at or past the next object's start may be there twice.
//! That alone is no proof. The later object may be a stale one that lies inside the
//! earlier; and a line is not an offset where a Kafka message holds several lines
//! (`ByteArrayFormat`, `StringConverter`). So a record is dropped only if one of the
//! same offset and the same bytes is kept: before it in the shard, or in the shard
//! that follows. Only records before the end of what an earlier run committed are
//! dropped by their offsets alone.

use super::hashes::{Compared, Hashes};
use crate::pipeline::fetch::RawBatch;
use crate::pipeline::plan::Shard;

/// So many records of an overlap are remembered; others are kept.
pub(super) const REMEMBERED: usize = 1 << 20;

/// What becomes of records whose offsets say that they are there twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeats {
    /// One of the two is dropped, if they are the same.
    #[default]
    Drop,
    /// Both are kept: offsets are not to be trusted.
    Keep,
}

/// What is known of a record by its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// No other record is known to be the same.
    New,
    /// It is there again, or was committed.
    Duplicate,
    /// Another record has its offset.
    Contradiction,
}

/// Where overlaps may be in one object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The object's first offset.
    start: u64,
    /// Offsets before this one were committed.
    floor: u64,
    /// Offsets from here on may be in a later object.
    next: u64,
    /// Offsets from here on may be in the shard that follows.
    next_shard: u64,
}

/// The records that the objects after a shard hold, by offset. Its last objects may
/// reach past their start; what is the same there need not be kept here.
pub struct Ahead {
    records: Hashes,
    /// Whether there are objects after those that were read.
    more: bool,
    /// Offsets from here on may be in objects that were not read.
    known_to: u64,
}

impl Ahead {
    /// Knows nothing yet of the objects that follow a shard.
    pub fn new(shard: &Shard) -> Ahead {
        let last = shard.following.objects.last().map_or(0, |last| last.start);
        let more = shard.following.more;
        let known_to = if more { last } else { u64::MAX };
        Ahead { records: Hashes::new(REMEMBERED), more, known_to }
    }

    /// Adds the records of a batch of these objects.
    pub fn add(&mut self, raw: &RawBatch) {
        for piece in &raw.pieces {
            super::lines::whole_records(raw, piece, |offset, text| {
                // The first of an offset counts: it is the one that stays.
                if self.records.compare(offset, text) == Compared::Unknown
                    && !self.records.insert(offset, text, 0)
                {
                    self.more = true;
                    self.known_to = self.known_to.min(offset);
                }
            });
        }
    }
}

/// The overlaps of one shard.
pub(super) struct Overlap {
    repeats: Repeats,
    /// Records that were kept and may come again.
    kept: Hashes,
    ahead: Option<Ahead>,
    reaches_next_shard: bool,
    committed: u64,
    unproven: u64,
}

impl Overlap {
    pub fn new(repeats: Repeats, ahead: Option<Ahead>) -> Overlap {
        Overlap::with_room(repeats, ahead, REMEMBERED)
    }

    fn with_room(repeats: Repeats, ahead: Option<Ahead>, room: usize) -> Overlap {
        let kept = Hashes::new(room);
        let (reaches_next_shard, committed, unproven) = (false, 0, 0);
        Overlap { repeats, kept, ahead, reaches_next_shard, committed, unproven }
    }

    /// Where overlaps may be in an object.
    pub fn bounds(&self, shard: &Shard, object: usize) -> Bounds {
        let start = shard.objects.get(object).map_or(0, |object| object.start);
        if self.repeats == Repeats::Keep || !shard.source.is_default_partitioner() {
            return Bounds { start, floor: 0, next: u64::MAX, next_shard: u64::MAX };
        }
        let next_shard = shard.next_start().unwrap_or(u64::MAX);
        let next = shard.objects.get(object + 1).map_or(next_shard, |next| next.start);
        Bounds { start, floor: shard.floor, next, next_shard }
    }

    /// Decides about a record, and remembers it if it is kept and may come again.
    #[inline]
    pub fn meet(&mut self, at: &Bounds, offset: u64, text: &[u8]) -> Standing {
        // Nearly always it is far from any overlap.
        if offset >= at.floor && offset < at.next && offset >= self.kept.end() {
            return Standing::New;
        }
        self.compare(at, offset, text)
    }

    #[inline(never)]
    fn compare(&mut self, at: &Bounds, offset: u64, text: &[u8]) -> Standing {
        if offset < at.floor {
            self.committed += 1;
            return Standing::Duplicate;
        }
        match self.kept.compare(offset, text) {
            Compared::Same => return Standing::Duplicate,
            Compared::Other => return Standing::Contradiction,
            Compared::Unknown => {}
        }
        if offset >= at.next_shard {
            match self.compare_ahead(offset, text) {
                Compared::Same => return Standing::Duplicate,
                Compared::Other => return Standing::Contradiction,
                Compared::Unknown => {}
            }
        }
        if offset >= at.next && !self.kept.insert(offset, text, at.start) {
            self.unproven += 1;
        }
        Standing::New
    }

    fn compare_ahead(&mut self, offset: u64, text: &[u8]) -> Compared {
        let Some(ahead) = &self.ahead else {
            self.reaches_next_shard = true;
            return Compared::Unknown;
        };
        let compared = ahead.records.compare(offset, text);
        if compared == Compared::Unknown && ahead.more && offset >= ahead.known_to {
            self.unproven += 1;
        }
        compared
    }

    /// Decides about a record of which not all bytes are at hand: it proves nothing.
    pub fn meet_unproven(&mut self, at: &Bounds, offset: u64) -> Standing {
        if offset < at.floor {
            self.committed += 1;
            return Standing::Duplicate;
        }
        Standing::New
    }

    /// Whether the shard reaches into the one that follows, of which nothing is known.
    pub fn reaches_next_shard(&self) -> bool {
        self.reaches_next_shard
    }

    /// Records that were dropped since an earlier run committed their offsets.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Records that were kept and may be there twice, as there was no room to
    /// compare them.
    pub fn unproven(&self) -> u64 {
        self.unproven
    }
}
