//! Decoding: lines → columns of fields, and rejects. Pure.

mod batch;
mod cells;
mod columns;
mod envelope;
mod fields;
mod hashes;
mod lines;
mod null_texts;
mod occurrence;
mod overlap;
mod record;
mod scan;
#[cfg(test)]
mod tests;
mod wrapper;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::DataFrame;
use polars_buffer::Buffer;

use super::fetch::{BodyFault, Piece, RawBatch};
use super::plan::Shard;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::spec::Spec;
use batch::Batch;
use cells::Cells;
use columns::Columns;
use fields::Fields;
pub use null_texts::NulledText;
use overlap::Overlap;
pub use overlap::{Ahead, Repeats};

/// The deepest nesting of arrays and objects that is read.
pub const NESTING_LIMIT: usize = 128;

/// Whether a text is one JSON value, whole, and not nested too deep.
pub fn is_json(text: &[u8]) -> bool {
    record::check(text).is_ok()
}

/// Columns of fields, one row a record.
pub struct DecodedBatch {
    /// One column a [`Slot`](crate::spec::Slot), named by its index.
    pub frame: DataFrame,
    /// Where each row came from; as long as the frame.
    pub rows: Vec<Origin>,
    /// Values that are not what their slot wants, by row.
    pub faults: Vec<SlotFault>,
    /// How often each text was met that is null in its slot.
    pub nulled: Vec<NulledText>,
    /// Records that are no rows.
    pub rejects: Vec<Reject>,
    /// Counts.
    pub counts: DecodeCounts,
    /// The bytes that the rows came from, and still point to.
    pub raw: Held,
    /// Text that was unescaped from JSON strings that hold records. An origin
    /// past the end of `raw.bytes` points here.
    unescaped: Vec<u8>,
}

impl DecodedBatch {
    /// The bytes of one record.
    pub fn record(&self, origin: &Origin) -> &[u8] {
        let held = self.raw.bytes.len();
        match origin.start.checked_sub(held) {
            None => &self.raw.bytes[origin.start..][..origin.len],
            Some(start) => &self.unescaped[start..][..origin.len],
        }
    }
}

/// The bytes of a batch, held by all columns whose texts lie in them.
pub struct Held {
    /// The shard that they are of.
    pub shard: Arc<Shard>,
    /// The bytes.
    pub bytes: Buffer<u8>,
}

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Index into the shard's objects.
    pub object: u32,
    /// Physical line, from 1.
    pub line: u64,
    /// Kafka offset: the object's start offset plus the record's index.
    pub offset: u64,
    /// Its bytes in the batch.
    pub start: usize,
    /// How many.
    pub len: usize,
}

/// A value that is not what its slot wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotFault {
    /// Row of the frame.
    pub row: usize,
    /// Slot.
    pub slot: usize,
    /// What is wrong.
    pub code: Code,
    /// The value, as JSON text, shortened for messages.
    pub value: String,
}

/// A record that was not written, with all that is needed to find and mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Index into the shard's objects.
    pub object: u32,
    /// Physical line, from 1; 0 for an object as a whole.
    pub line: u64,
    /// Kafka offset.
    pub offset: u64,
    /// The output column, if one value was wrong.
    pub column: Option<String>,
    /// Why.
    pub code: Code,
    /// Why, in words.
    pub message: String,
    /// The record's bytes, at most [`LINE_LIMIT`](super::fetch::LINE_LIMIT).
    pub raw: Vec<u8>,
}

/// What was counted while decoding one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeCounts {
    /// Records read: rows, rejects and duplicates.
    pub read: u64,
    /// Certain duplicates, dropped.
    pub duplicate: u64,
    /// Envelopes opened, by kind: `value`, `records`, `payload`, `Data`, `after`,
    /// `string`.
    pub envelopes: BTreeMap<&'static str, u64>,
    /// Whether two records of one offset differ: then lines are not offsets, and
    /// none of them is a duplicate.
    pub contradicted: bool,
    /// Whether a record may be in the shard that follows, of whose records nothing
    /// is known: see [`Decoder::begin_knowing`].
    pub reaches_next_shard: bool,
    /// Fields that no slot reads, by name.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Slots whose field was in some record, also as null.
    pub slots: BTreeSet<usize>,
    /// Per object that ended in this batch: its index and its records.
    pub ended: Vec<(usize, u64)>,
}

/// Decodes the batches of one table, one after the other.
///
/// It remembers in which order fields come, so that the next record's fields
/// are found without a look-up.
pub struct Decoder<'s> {
    spec: &'s Spec,
    fields: Fields,
    overlap: Overlap,
}

impl<'s> Decoder<'s> {
    /// A decoder of records of one table.
    pub fn new(spec: &'s Spec) -> Decoder<'s> {
        let overlap = Overlap::new(Repeats::default(), None);
        Decoder { spec, fields: Fields::new(spec), overlap }
    }

    /// Begins a shard; what was seen of the one before it is forgotten.
    pub fn begin(&mut self, repeats: Repeats) {
        self.overlap = Overlap::new(repeats, None);
    }

    /// Begins a shard that reaches into the one that follows, whose first records
    /// are known.
    pub fn begin_knowing(&mut self, ahead: Ahead) {
        self.overlap = Overlap::new(Repeats::Drop, Some(ahead));
    }

    /// Records that were dropped since the shard began because an earlier run
    /// committed their offsets.
    pub fn committed_before(&self) -> u64 {
        self.overlap.committed()
    }

    /// Records that were kept since the shard began, and may be in the table twice.
    pub fn unproven(&self) -> u64 {
        self.overlap.unproven()
    }

    /// Lines → columns. A bad record is a reject, never an error.
    ///
    /// # Errors
    /// [`Error::Internal`] if Polars refuses the columns.
    pub fn decode(&mut self, raw: RawBatch) -> Result<DecodedBatch> {
        self.batch(raw, |batch, held, pieces| {
            // One look at all bytes for one at each line.
            let whole = std::str::from_utf8(&held.bytes).ok();
            pieces.iter().for_each(|piece| batch.piece(held, piece, whole));
        })
    }

    /// Records that are at hand one by one → columns. An origin says where in
    /// `raw.bytes` a record lies; it may hold line ends, and be wrapped. Pieces
    /// mean nothing, and nothing is taken for a duplicate.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_records(&mut self, raw: RawBatch, records: &[Origin]) -> Result<DecodedBatch> {
        self.batch(raw, |batch, held, _| {
            for origin in records {
                let text = &held.bytes[origin.start..][..origin.len];
                envelope::open(batch, text, *origin);
            }
        })
    }

    fn batch(
        &mut self,
        raw: RawBatch,
        read: impl FnOnce(&mut Batch<'_>, &Held, &[Piece]),
    ) -> Result<DecodedBatch> {
        let RawBatch { shard, bytes, pieces, sizes: _ } = raw;
        let raw = Held { shard, bytes: bytes.into() };
        let mut batch = Batch {
            cells: Cells::new(&self.fields),
            columns: Columns::new(self.spec, &raw.bytes),
            fields: &mut self.fields,
            overlap: &mut self.overlap,
            rows: Vec::new(),
            faults: Vec::new(),
            rejects: Vec::new(),
            counts: DecodeCounts::default(),
            unescaped: Vec::new(),
            held: raw.bytes.len(),
        };
        read(&mut batch, &raw, &pieces);
        batch.counts.reaches_next_shard = batch.overlap.reaches_next_shard();
        batch.counts.unknown_fields = batch.fields.take_unknown();
        let nulled = batch.columns.nulled();
        let frame = batch
            .columns
            .finish()
            .map_err(|e| Error::Internal { stage: "decode", message: e.to_string() })?;
        let Batch { cells, fields, rows, faults, rejects, mut counts, unescaped, .. } = batch;
        counts.slots = occurrence::slots(&frame, &faults, &cells, fields);
        // A text that means null leaves no value and no fault behind.
        counts.slots.extend(nulled.iter().map(|text| text.slot));
        Ok(DecodedBatch { frame, rows, faults, nulled, rejects, counts, unescaped, raw })
    }
}

/// Why a record is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bad {
    code: Code,
    message: String,
}

impl Bad {
    fn new(code: Code, message: impl Into<String>) -> Bad {
        Bad { code, message: message.into() }
    }

    fn of_object(fault: BodyFault) -> Bad {
        Bad::new(
            object_code(fault),
            match fault {
                BodyFault::GzipTruncated => "the object's gzip stream ends early",
                BodyFault::GzipCorrupt => "the object's gzip stream is damaged",
                BodyFault::GzipRatio => "the object's gzip stream inflates over 1,000 times",
                BodyFault::ObjectTooLarge => "the object is larger than 1 GiB",
                BodyFault::Gone => "the object was listed and then gone",
            },
        )
    }
}

fn object_code(fault: BodyFault) -> Code {
    match fault {
        BodyFault::GzipTruncated => Code::GzipTruncated,
        BodyFault::GzipCorrupt => Code::GzipCorrupt,
        BodyFault::GzipRatio => Code::GzipRatio,
        BodyFault::ObjectTooLarge => Code::ObjectTooLarge,
        BodyFault::Gone => Code::ObjectGone,
    }
}
