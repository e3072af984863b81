//! Work: one shard in; files, counts and the watermark that it reached out.
//!
//! No state is shared between shards, so any number can run side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::clean::{CleanBatch, Cleaner, columns_with_values};
use super::decode::{Ahead, Decoder, Reject, Repeats};
use super::discover::{LastObject, Watermark};
use super::fetch::{Fetcher, RawBatch, fetch};
use super::plan::{Following, Shard};
use super::report::{RejectExample, SeenValues, ShardCounts};
use super::watch::Watch;
use super::write::{ShardWriter, Target, Written};
use crate::error::{Error, Result};
use crate::failpoint::{self, Point};
use crate::key::{Layout, Source};
use crate::spec::Spec;

/// What one shard became.
pub struct Done {
    /// Topic, directory and Kafka partition.
    pub source: Arc<Source>,
    /// Index of the table's spec among the run's specs.
    pub table: usize,
    /// The files, complete, not yet to be seen.
    pub written: Written,
    /// What was counted.
    pub counts: ShardCounts,
    /// The bytes of the objects that ended, as they were listed.
    pub listed_bytes: u64,
    /// How far the source is read.
    pub reached: Watermark,
    /// Whether the offsets of its records are exact.
    pub has_offsets: bool,
}

/// How an attempt to do a shard ended.
enum Attempt {
    Done(Box<Done>),
    /// Its last objects hold records that the shard after it may hold too.
    ReachesNextShard,
    /// Two of its records have one offset, and are not the same.
    Contradicted,
}

/// The stages of one table, for one shard after the other.
pub struct Line<'s> {
    decoder: Decoder<'s>,
    cleaner: Cleaner<'s>,
    target: Arc<Target>,
}

impl<'s> Line<'s> {
    /// The stages of the table of `spec`.
    ///
    /// # Errors
    /// [`Error::Internal`] if Polars refuses an expression that was checked.
    pub fn new(spec: &'s Spec, target: Arc<Target>) -> Result<Line<'s>> {
        Ok(Line { decoder: Decoder::new(spec), cleaner: Cleaner::new(spec)?, target })
    }

    /// Does one shard.
    ///
    /// # Errors
    /// Those of the stages. Nothing of the shard stays behind then.
    pub fn work(&mut self, fetcher: &Fetcher, shard: Shard, watch: &Watch<'_>) -> Result<Done> {
        let shard = Arc::new(shard);
        self.decoder.begin(Repeats::Drop);
        let mut attempt = self.attempt(fetcher, &shard, watch, Repeats::Drop)?;
        if let Attempt::ReachesNextShard = attempt {
            self.decoder.begin_knowing(look_ahead(fetcher, &shard, watch)?);
            attempt = self.attempt(fetcher, &shard, watch, Repeats::Drop)?;
        }
        if let Attempt::Contradicted = attempt {
            tracing::warn!(
                topic = %shard.source.topic,
                directory = %shard.source.directory,
                "objects hold more records than offsets, and they are not the same ones \
                 delivered again: all are kept, and their offsets are not exact"
            );
            self.decoder.begin(Repeats::Keep);
            attempt = self.attempt(fetcher, &shard, watch, Repeats::Keep)?;
        }
        match attempt {
            Attempt::Done(done) => Ok(*done),
            Attempt::ReachesNextShard | Attempt::Contradicted => Err(Error::Internal {
                stage: "work",
                message: "a shard was begun again for no reason".to_owned(),
            }),
        }
    }

    /// Does a shard, unless it is found on the way that more must be known of it.
    fn attempt(
        &mut self,
        fetcher: &Fetcher,
        shard: &Arc<Shard>,
        watch: &Watch<'_>,
        repeats: Repeats,
    ) -> Result<Attempt> {
        let mut writer = ShardWriter::new(Arc::clone(&self.target), Arc::clone(shard));
        let mut tally = Tally::new(shard, &fetcher.layout, repeats);
        failpoint::hit(Point::BeforeFetch);
        for raw in fetch(fetcher, Arc::clone(shard)) {
            let step = raw.and_then(|mut raw| {
                watch.go_on()?;
                failpoint::hit(Point::Fetched);
                let (objects, bytes) = ended(&raw);
                let sizes = std::mem::take(&mut raw.sizes);
                let batch = self.decoder.decode(raw)?;
                if batch.counts.contradicted {
                    return Ok(Some(Attempt::Contradicted));
                }
                if batch.counts.reaches_next_shard {
                    return Ok(Some(Attempt::ReachesNextShard));
                }
                failpoint::hit(Point::Decoded);
                let batch = self.cleaner.clean(batch, &fetcher.layout)?;
                failpoint::hit(Point::Cleaned);
                writer.append(&batch.frame, &batch.rejects)?;
                failpoint::hit(Point::Written);
                tally.add(&batch, &sizes);
                watch.progress().done(objects, bytes);
                Ok(None)
            });
            match step {
                Ok(None) => {}
                Ok(Some(attempt)) => {
                    writer.abort();
                    return Ok(attempt);
                }
                Err(error) => {
                    writer.abort();
                    return Err(error);
                }
            }
        }
        self.tell_unproven(shard);
        let written = writer.finish()?;
        failpoint::hit(Point::Finished);
        let (counts, listed_bytes, reached) = tally.finish()?;
        let (source, table) = (Arc::clone(&shard.source), shard.table);
        let has_offsets = repeats == Repeats::Drop;
        let done = Done { source, table, written, counts, listed_bytes, reached, has_offsets };
        Ok(Attempt::Done(Box::new(done)))
    }

    fn tell_unproven(&self, shard: &Shard) {
        let records = self.decoder.committed_before();
        if records > 0 {
            tracing::warn!(
                records,
                topic = %shard.source.topic,
                directory = %shard.source.directory,
                "dropped as duplicates by their offsets alone: an earlier run committed these \
                 offsets, and the records were not compared"
            );
        }
        let records = self.decoder.unproven();
        if records > 0 {
            tracing::warn!(
                records,
                topic = %shard.source.topic,
                directory = %shard.source.directory,
                "kept, though objects after them may hold the same records: there are too many \
                 to compare, and they may be in the table twice"
            );
        }
    }
}

/// Reads the objects that follow a shard, to know which of its last records they
/// hold too.
fn look_ahead(fetcher: &Fetcher, shard: &Shard, watch: &Watch<'_>) -> Result<Ahead> {
    let mut ahead = Ahead::new(shard);
    let following = Shard {
        source: Arc::clone(&shard.source),
        table: shard.table,
        objects: shard.following.objects.clone(),
        following: Following::default(),
        floor: 0,
    };
    for raw in fetch(fetcher, Arc::new(following)) {
        watch.go_on()?;
        ahead.add(&raw?);
    }
    Ok(ahead)
}

/// What was counted in one batch, but for what is known once an object ends.
fn counts_of(batch: &CleanBatch) -> ShardCounts {
    let mut rejects = BTreeMap::new();
    for Reject { code, column, .. } in &batch.rejects {
        *rejects.entry((*code, column.clone())).or_default() += 1;
    }
    let envelopes = batch.counts.envelopes.iter();
    ShardCounts {
        read: batch.counts.read,
        written: batch.frame.height() as u64,
        quarantined: batch.rejects.len() as u64,
        duplicate: batch.counts.duplicate,
        rejects,
        seen: SeenValues {
            columns: columns_with_values(&batch.frame),
            slots: batch.counts.slots.clone(),
        },
        changes: batch.changes.clone(),
        unknown_fields: batch.counts.unknown_fields.clone(),
        envelopes: envelopes.map(|(kind, opened)| ((*kind).to_owned(), *opened)).collect(),
        ..ShardCounts::default()
    }
}

/// The objects that end in a batch, and their bytes as listed.
fn ended(raw: &RawBatch) -> (u64, u64) {
    let ended = raw.pieces.iter().filter(|piece| piece.last);
    ended.fold((0, 0), |(objects, bytes), piece| (objects + 1, bytes + raw.object(piece).size))
}

/// The counts of one shard under way.
struct Tally<'a> {
    shard: &'a Shard,
    layout: &'a Layout,
    repeats: Repeats,
    counts: ShardCounts,
    /// Start and end offset of the last object that ended.
    reached: Option<Watermark>,
    /// The offset after the last record of all objects that ended.
    covered: u64,
    /// Objects that ended, one after the other: all must.
    ended: usize,
    listed_bytes: u64,
}

impl<'a> Tally<'a> {
    fn new(shard: &'a Shard, layout: &'a Layout, repeats: Repeats) -> Tally<'a> {
        let counts = ShardCounts::default();
        Tally {
            shard,
            layout,
            repeats,
            counts,
            reached: None,
            covered: shard.floor,
            ended: 0,
            listed_bytes: 0,
        }
    }

    /// Adds a batch; `sizes` are those of the objects that ended in it.
    fn add(&mut self, batch: &CleanBatch, sizes: &[u64]) {
        let mut counts = counts_of(batch);
        for kind in counts.rejects.keys().filter(|kind| !self.counts.rejects.contains_key(kind)) {
            let of_kind = |reject: &&Reject| reject.code == kind.0 && reject.column == kind.1;
            if let Some(first) = batch.rejects.iter().find(of_kind) {
                counts.examples.insert(kind.clone(), self.example(first));
            }
        }
        self.counts.merge(&counts);
        for (&(index, records), &size) in batch.counts.ended.iter().zip(sizes) {
            self.end(index, records, size);
        }
    }

    fn example(&self, reject: &Reject) -> RejectExample {
        let object = self.shard.objects.get(reject.object as usize);
        let key = object.map(|object| object.key(&self.shard.source, self.layout));
        RejectExample::new(key.unwrap_or_default(), reject.line, &reject.message)
    }

    fn end(&mut self, index: usize, records: u64, size: u64) {
        let object = &self.shard.objects[index];
        self.ended += usize::from(index == self.ended);
        self.listed_bytes += object.size;
        self.counts.objects += 1;
        self.counts.bytes += size;
        let end = object.start + records;
        if records > 0 {
            let first = self.counts.first_offset.unwrap_or(object.start);
            self.counts.first_offset = Some(first.min(object.start));
            self.counts.last_offset = self.counts.last_offset.max(Some(end - 1));
        }
        // The last object need not be the one that reaches farthest: a stale one may
        // lie inside a longer one. What an earlier run committed stays committed.
        self.covered = self.covered.max(end);
        let end = match self.repeats {
            Repeats::Drop => self.covered,
            // Lines are not offsets: nothing is known of where it ends.
            Repeats::Keep => object.start + records.min(1),
        };
        let last = LastObject { size, extension: object.extension };
        self.reached = Some(Watermark { start: object.start, end, last: Some(last) });
    }

    fn finish(self) -> Result<(ShardCounts, u64, Watermark)> {
        match self.reached {
            Some(reached) if self.ended == self.shard.objects.len() => {
                Ok((self.counts, self.listed_bytes, reached))
            }
            _ => Err(Error::Internal {
                stage: "work",
                message: format!(
                    "{} of {} objects of {} were read",
                    self.ended,
                    self.shard.objects.len(),
                    self.shard.source.topic
                ),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
