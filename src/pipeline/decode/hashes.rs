//! Records by their offsets, as hashes of their bytes.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// How two records of an offset compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// They have the same bytes.
    Same,
    /// They have other bytes.
    Other,
    /// No record of the offset is known.
    Unknown,
}

/// A bounded number of records.
pub(super) struct Hashes {
    hasher: RandomState,
    by_offset: HashMap<u64, u64>,
    room: usize,
    /// The offset after the last one.
    end: u64,
    /// Offsets before this one were removed to make room.
    removed_to: u64,
}

impl Hashes {
    /// Room for so many records.
    pub fn new(room: usize) -> Hashes {
        let (hasher, by_offset) = (RandomState::new(), HashMap::new());
        Hashes { hasher, by_offset, room, end: 0, removed_to: 0 }
    }

    /// The offset after the last record; 0 if there is none.
    #[inline]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Compares a record with the one of its offset.
    pub fn compare(&self, offset: u64, text: &[u8]) -> Compared {
        match self.by_offset.get(&offset) {
            Some(hash) if *hash == self.hasher.hash_one(text) => Compared::Same,
            Some(_) => Compared::Other,
            None => Compared::Unknown,
        }
    }

    /// Adds a record; false if there is no room. Records before `needed_from` may be
    /// removed for it.
    pub fn insert(&mut self, offset: u64, text: &[u8], needed_from: u64) -> bool {
        if self.by_offset.len() >= self.room && self.removed_to < needed_from {
            self.by_offset.retain(|offset, _| *offset >= needed_from);
            self.removed_to = needed_from;
        }
        if self.by_offset.len() >= self.room {
            return false;
        }
        self.by_offset.insert(offset, self.hasher.hash_one(text));
        self.end = self.end.max(offset + 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_compare_by_their_bytes() {
        let mut hashes = Hashes::new(10);
        assert!(hashes.insert(7, b"a", 0));
        for (offset, text, expected) in [
            (7, "a", Compared::Same),
            (7, "b", Compared::Other),
            (7, "", Compared::Other),
            (6, "a", Compared::Unknown),
            (8, "a", Compared::Unknown),
        ] {
            assert_eq!(hashes.compare(offset, text.as_bytes()), expected, "{text} at {offset}");
        }
        assert_eq!(hashes.end(), 8);
    }

    #[test]
    fn records_that_are_not_needed_make_room_and_others_stay() {
        let mut hashes = Hashes::new(3);
        let fits = |hashes: &mut Hashes, offset, needed_from| {
            hashes.insert(offset, format!("record {offset}").as_bytes(), needed_from)
        };
        for offset in 0..3 {
            assert!(fits(&mut hashes, offset, 0));
        }
        assert!(!fits(&mut hashes, 3, 0), "no room");
        assert!(fits(&mut hashes, 4, 2), "0 and 1 went");
        assert!(fits(&mut hashes, 5, 2));
        assert!(!fits(&mut hashes, 6, 2), "no room again");
        let left = [0, 1, 2, 3, 4, 5].map(|offset| {
            hashes.compare(offset, format!("record {offset}").as_bytes()) == Compared::Same
        });
        assert_eq!(left, [false, false, true, false, true, true]);
    }
}
