//! Planning: what is new, cut into shards.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::discover::{self, Discovered, Found, Listing, Object};
use crate::Result;
use crate::key::Source;

/// A key range of one source: the unit of work.
#[derive(Debug, Clone)]
pub struct Shard {
    /// Topic, directory and Kafka partition.
    pub source: Arc<Source>,
    /// Index of the table's spec among the run's specs.
    pub table: usize,
    /// The objects, by rising start offset; never empty.
    pub objects: Vec<Object>,
    /// The objects after the last one, under the default partitioner. The last
    /// objects of the shard may hold some of their records too.
    pub following: Following,
    /// Rows before this offset are in the table already, from objects that
    /// overlap these; 0 if none are.
    pub floor: u64,
}

impl Shard {
    /// The start offset of the object after the last one, if it is known.
    pub fn next_start(&self) -> Option<u64> {
        self.following.objects.first().map(|object| object.start)
    }
}

/// The first objects after a shard, as they were listed. Only a shard whose records
/// reach past the start of the first of them reads them.
#[derive(Debug, Clone, Default)]
pub struct Following {
    /// The objects, by rising start offset.
    pub objects: Vec<Object>,
    /// Whether there may be more after them.
    pub more: bool,
}

impl Following {
    /// No shard knows of more objects that follow it, nor of much more than a shard
    /// of bytes: what a shard reads twice must have a bound.
    const MOST: usize = 64;

    fn is_full(&self, bytes: u64) -> bool {
        let listed: u64 = self.objects.iter().map(|object| object.size).sum();
        self.objects.len() >= Following::MOST || listed >= bytes
    }
}

/// A shard is complete once it reaches one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardLimits {
    /// Objects.
    pub objects: usize,
    /// Bytes, as listed.
    pub bytes: u64,
}

impl Default for ShardLimits {
    /// Large enough that a file written from a shard is worth its while, small
    /// enough that many workers share a partition.
    fn default() -> ShardLimits {
        ShardLimits { objects: 32_768, bytes: 32 << 20 }
    }
}

/// Lists what is new and sends it as shards while the listing goes on; where
/// shards are cut depends on the objects and the watermark alone. Blocks; not
/// to be called on a runtime's thread.
///
/// If `emit` breaks, the plan ends early and counts what it saw.
///
/// # Errors
/// Those of [`discover::discover`]. Shards may have been emitted before.
pub fn plan(
    listing: &Listing<'_>,
    limits: ShardLimits,
    mut emit: impl FnMut(Shard) -> ControlFlow<()>,
) -> Result<Discovered> {
    let mut cutters: BTreeMap<Arc<Source>, Cutter> = BTreeMap::new();
    discover::discover(listing, |found| {
        let Found { source, table, objects, last } = found;
        let cutter = cutters
            .entry(source.clone())
            .or_insert_with(|| Cutter::new(source.clone(), table, (listing, limits)));
        for object in objects {
            cutter.push(object).into_iter().try_for_each(&mut emit)?;
        }
        let finished = last.then(|| cutters.remove(&source)).flatten();
        finished.map(Cutter::finish).unwrap_or_default().into_iter().try_for_each(&mut emit)
    })
}

/// Cuts the objects of one source into shards.
struct Cutter {
    source: Arc<Source>,
    table: usize,
    floor: u64,
    /// Whether an object was pushed.
    begun: bool,
    limits: ShardLimits,
    objects: Vec<Object>,
    bytes: u64,
    /// Shards that are cut and wait for the objects that follow them.
    waiting: VecDeque<Shard>,
}

impl Cutter {
    fn new(
        source: Arc<Source>,
        table: usize,
        (listing, limits): (&Listing<'_>, ShardLimits),
    ) -> Cutter {
        let watermark = listing.watermarks.get(table).and_then(|known| known.get(&*source));
        let floor = match watermark {
            // Elsewhere offsets are no more than lower bounds.
            Some(watermark) if !listing.full && source.is_default_partitioner() => watermark.end,
            _ => 0,
        };
        let (objects, waiting) = (Vec::new(), VecDeque::new());
        Cutter { source, table, floor, begun: false, limits, objects, bytes: 0, waiting }
    }

    /// Offsets between what was committed and the first new object: no object is
    /// known to hold them. Kafka leaves such gaps too (compaction, transactions),
    /// but the sink may have written the last committed object again, longer,
    /// after it was read.
    fn gap_before(&mut self, object: &Object) -> Option<u64> {
        let first = !std::mem::replace(&mut self.begun, true);
        let gap = object.start.saturating_sub(self.floor);
        (first && self.floor > 0 && gap > 0).then_some(gap)
    }

    fn tell_gap(&self, offsets: u64) {
        tracing::warn!(
            offsets,
            topic = %self.source.topic,
            directory = %self.source.directory,
            after = self.floor,
            "no object is known to hold the offsets after what was committed: if the sink wrote \
             the last object again since, only --full reads it"
        );
    }

    /// Adds an object. Returns the shards that are complete by it: a shard waits for
    /// the objects after its last, which it has to know.
    fn push(&mut self, object: Object) -> Vec<Shard> {
        if let Some(offsets) = self.gap_before(&object) {
            self.tell_gap(offsets);
        }
        let last = self.objects.last().map(|last| last.start);
        let complete = self.objects.len() >= self.limits.objects || self.bytes >= self.limits.bytes;
        let mut ready = Vec::new();
        match last {
            // The order begins again: what comes next is not known.
            Some(last) if object.start < last => {
                self.cut();
                ready.extend(self.waiting.drain(..));
            }
            Some(_) if complete => self.cut(),
            _ => {}
        }
        ready.extend(self.follow(&object));
        self.bytes += object.size;
        self.objects.push(object);
        ready
    }

    /// Tells the waiting shards of an object that follows them, and returns those
    /// that know enough.
    fn follow(&mut self, object: &Object) -> Vec<Shard> {
        if !self.source.is_default_partitioner() {
            return self.waiting.drain(..).collect();
        }
        for shard in &mut self.waiting {
            shard.following.objects.push(object.clone());
            shard.following.more = shard.following.is_full(self.limits.bytes);
        }
        // The first one knows the most objects.
        let known = self.waiting.iter().take_while(|shard| shard.following.more).count();
        self.waiting.drain(..known).collect()
    }

    fn finish(mut self) -> Vec<Shard> {
        self.cut();
        self.waiting.into()
    }

    fn cut(&mut self) {
        let objects = std::mem::take(&mut self.objects);
        self.bytes = 0;
        if !objects.is_empty() {
            self.waiting.push_back(Shard {
                source: self.source.clone(),
                table: self.table,
                objects,
                following: Following::default(),
                floor: self.floor,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{Extension, Topic};

    fn cutter(directory: &str, limits: ShardLimits) -> Cutter {
        let topic = Topic::parse("t").unwrap();
        let source = Source { topic, directory: directory.into(), partition: 0 };
        let (objects, bytes, waiting) = (Vec::new(), 0, VecDeque::new());
        let source = Arc::new(source);
        Cutter { source, table: 0, floor: 0, begun: false, limits, objects, bytes, waiting }
    }

    fn object(start: u64, size: u64) -> Object {
        Object { start, size, width: 10, extension: Extension::Json, etag: None }
    }

    fn cut(directory: &str, limits: ShardLimits, starts: &[u64]) -> Vec<(Vec<u64>, Option<u64>)> {
        let mut cutter = cutter(directory, limits);
        let mut shards: Vec<Shard> =
            starts.iter().flat_map(|&start| cutter.push(object(start, 10))).collect();
        shards.extend(cutter.finish());
        let starts = |shard: &Shard| shard.objects.iter().map(|o| o.start).collect();
        shards.iter().map(|shard| (starts(shard), shard.next_start())).collect()
    }

    #[test]
    fn a_shard_is_cut_when_it_reaches_a_limit_and_knows_what_comes_next() {
        let by_count = ShardLimits { objects: 2, bytes: 1000 };
        let by_bytes = ShardLimits { objects: 1000, bytes: 15 };
        for limits in [by_count, by_bytes] {
            let expected = vec![(vec![0, 5], Some(7)), (vec![7, 9], Some(12)), (vec![12], None)];
            assert_eq!(cut("partition=0", limits, &[0, 5, 7, 9, 12]), expected);
        }
    }

    #[test]
    fn offsets_that_are_missing_after_the_watermark_are_told_once() {
        // Where the committed records end, the first new object, the gap.
        for (floor, start, gap) in [(5, 9, Some(4)), (5, 5, None), (5, 3, None), (0, 9, None)] {
            let limits = ShardLimits { objects: 2, bytes: 1000 };
            let mut cutter = Cutter { floor, ..cutter("partition=0", limits) };
            assert_eq!(cutter.gap_before(&object(start, 1)), gap, "{start} after {floor}");
            assert_eq!(cutter.gap_before(&object(start + 9, 1)), None, "the second object");
        }
    }

    #[test]
    fn only_the_default_partitioner_tells_what_comes_next() {
        let limits = ShardLimits { objects: 1, bytes: 1000 };
        for directory in ["year=2024/month=01", "", "partition=1", "partition=0/schema_name=a"] {
            let expected = vec![(vec![0], None), (vec![5], None)];
            assert_eq!(cut(directory, limits, &[0, 5]), expected, "{directory}");
        }
    }

    #[test]
    fn a_shard_knows_a_bounded_number_of_objects_and_bytes_that_follow_it() {
        // Sizes of objects → how many follow the first shard, and whether there may
        // be more.
        let many = vec![1; 200];
        let cases: &[(&[u64], usize, bool)] = &[
            (&[1], 0, false),
            (&[1, 1], 1, false),
            (&[1, 1, 1], 2, false),
            (&[1, 400, 1], 1, true),
            (&[1, 50, 49, 1, 1], 3, true),
            (&many, Following::MOST, true),
        ];
        for (sizes, following, more) in cases {
            let limits = ShardLimits { objects: 1, bytes: 100 };
            let mut cutter = cutter("partition=0", limits);
            let objects = (0..).zip(*sizes).map(|(start, size)| object(start, *size));
            let mut shards: Vec<Shard> = objects.flat_map(|o| cutter.push(o)).collect();
            shards.extend(cutter.finish());
            let first = &shards[0].following;
            assert_eq!((first.objects.len(), first.more), (*following, *more), "{sizes:?}");
            assert_eq!(shards.len(), sizes.len());
        }
    }

    #[test]
    fn an_order_that_begins_again_never_makes_a_next_start_too_small() {
        let limits = ShardLimits { objects: 2, bytes: 1000 };
        let expected = vec![(vec![8], None), (vec![3, 5], Some(9)), (vec![9], None)];
        assert_eq!(cut("partition=0", limits, &[8, 3, 5, 9]), expected);
    }

    #[test]
    fn two_objects_of_one_start_stay_neighbours_even_over_a_cut() {
        let limits = ShardLimits { objects: 1, bytes: 1000 };
        let expected = vec![(vec![3], Some(3)), (vec![3], None)];
        assert_eq!(cut("partition=0", limits, &[3, 3]), expected);
    }

    proptest! {
        #[test]
        fn every_object_is_in_one_shard_and_no_shard_is_larger_than_it_must_be(
            sizes in prop::collection::vec(0..50u64, 0..60),
            objects in 1..10usize,
            bytes in 1..200u64,
        ) {
            let limits = ShardLimits { objects, bytes };
            let mut cutter = cutter("partition=0", limits);
            let mut shards = Vec::new();
            for (start, &size) in sizes.iter().enumerate() {
                shards.extend(cutter.push(object(start as u64, size)));
            }
            shards.extend(cutter.finish());
            let all: Vec<u64> = shards.iter().flat_map(|s| &s.objects).map(|o| o.start).collect();
            let all_starts = (0..sizes.len() as u64).collect::<Vec<_>>();
            prop_assert_eq!(&all, &all_starts);
            for (i, shard) in shards.iter().enumerate() {
                prop_assert!(!shard.objects.is_empty() && shard.objects.len() <= objects);
                let all_but_last = &shard.objects[..shard.objects.len() - 1];
                prop_assert!(all_but_last.iter().map(|o| o.size).sum::<u64>() < bytes);
                let next = shards.get(i + 1).map(|next| next.objects[0].start);
                prop_assert_eq!(shard.next_start(), next);
                let last = shard.objects[shard.objects.len() - 1].start;
                let after = all_starts.iter().filter(|start| **start > last);
                let following: Vec<_> = shard.following.objects.iter().map(|o| o.start).collect();
                let known: Vec<_> = after.clone().take(following.len()).copied().collect();
                prop_assert_eq!(&following, &known);
                prop_assert!(shard.following.more || following.len() == after.count());
            }
        }
    }
}
