//! Decoding: lines → columns of fields, and rejects. Pure.

mod cells;
mod columns;
mod envelope;
mod fields;
mod null_texts;
mod overlap;
mod record;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memchr;
use polars::prelude::DataFrame;
use polars_buffer::Buffer;

use super::fetch::{BodyFault, Piece, RawBatch};
use super::plan::Shard;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::spec::Spec;
use cells::Cells;
use columns::Columns;
use fields::Fields;
pub use null_texts::NulledText;
use overlap::Overlap;
pub use overlap::Repeats;

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
    /// Envelopes opened, by kind: `value`, `records`, `payload`, `string`.
    pub envelopes: BTreeMap<&'static str, u64>,
    /// Whether a record that was dropped as a duplicate is another one than that
    /// of its offset: then lines are not offsets, and it was none.
    pub contradicted: bool,
    /// Fields that no slot reads, by name.
    pub unknown_fields: BTreeMap<String, u64>,
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
        Decoder { spec, fields: Fields::new(spec), overlap: Overlap::default() }
    }

    /// Begins a shard; what was seen of the one before it is forgotten.
    pub fn begin(&mut self, repeats: Repeats) {
        self.overlap = Overlap::new(repeats);
    }

    /// Records that were dropped since the shard began, and whose like was not
    /// seen in it.
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
        batch.counts.unknown_fields = batch.fields.take_unknown();
        let nulled = batch.columns.nulled();
        let frame = batch
            .columns
            .finish()
            .map_err(|e| Error::Internal { stage: "decode", message: e.to_string() })?;
        let Batch { rows, faults, rejects, counts, unescaped, .. } = batch;
        Ok(DecodedBatch { frame, rows, faults, nulled, rejects, counts, unescaped, raw })
    }
}

/// One batch under way.
struct Batch<'a> {
    fields: &'a mut Fields,
    overlap: &'a mut Overlap,
    cells: Cells,
    columns: Columns,
    rows: Vec<Origin>,
    faults: Vec<SlotFault>,
    rejects: Vec<Reject>,
    counts: DecodeCounts,
    unescaped: Vec<u8>,
    /// Bytes of the raw batch; origins past it are in `unescaped`.
    held: usize,
}

impl Batch<'_> {
    /// Takes a piece. `whole` is the batch, if it is UTF-8 throughout.
    fn piece(&mut self, raw: &Held, piece: &Piece, whole: Option<&str>) {
        let object = &raw.shard.objects[piece.object];
        let quick = whole.and_then(|whole| whole.get(..piece.range.end));
        let quick = quick.filter(|_| piece.cut.is_none());
        let keep = self.overlap.keep(&raw.shard, piece.object);
        let mut at = Origin {
            object: piece.object as u32,
            line: piece.lines_before,
            offset: object.start + piece.records_before,
            start: piece.range.start,
            len: 0,
        };
        while at.start < piece.range.end {
            if let Some(rest) = quick.and_then(|text| text.get(at.start..))
                && keep.contains(&at.offset)
                && let Some(next) = self.quick(rest, Origin { line: at.line + 1, ..at })
            {
                at = Origin {
                    line: at.line + 1,
                    offset: at.offset + 1,
                    start: at.start + next,
                    ..at
                };
                continue;
            }
            let rest = &raw.bytes[at.start..piece.range.end];
            let end = memchr(b'\n', rest);
            let (line, next) = match end {
                Some(end) => (&rest[..end], at.start + end + 1),
                None => (rest, piece.range.end),
            };
            at.line += 1;
            if !line.trim_ascii().is_empty() || piece.cut.is_some() {
                let text = record::trim(line);
                let indent = record::range_in(line, text).start;
                let origin = Origin { start: at.start + indent, len: text.len(), ..at };
                let cut_off = (end.is_none()).then_some(piece.fault).flatten();
                self.line(text, origin, Line { keep: &keep, cut_off, piece });
                at.offset += 1;
            }
            at.start = next;
        }
        if let Some(fault) = piece.fault {
            self.object_fault(fault, Origin { line: 0, start: 0, len: 0, ..at });
        }
        if piece.last {
            self.counts.ended.push((piece.object, at.offset - object.start));
        }
    }

    /// Takes the record at the start of a text, if it is a usual one on a line of
    /// its own, and gives the start of the next line.
    fn quick(&mut self, rest: &str, at: Origin) -> Option<usize> {
        let len = self.cells.walk(rest, self.fields)?;
        let (text, end) = rest.split_at_checked(len)?;
        let next = match end.as_bytes() {
            [] => len,
            [b'\n', ..] => len + 1,
            [b'\r', b'\n', ..] => len + 2,
            _ => return None,
        };
        self.counts.contradicted |= self.overlap.contradicts(at.offset, text.as_bytes());
        self.take(text, Origin { len, ..at });
        Some(next)
    }

    fn line(&mut self, text: &[u8], origin: Origin, line: Line<'_>) {
        if !line.keep.contains(&origin.offset) {
            self.counts.read += 1;
            self.counts.duplicate += 1;
            match origin.offset >= line.keep.end {
                true => self.overlap.drop(origin.offset, text),
                false => self.overlap.drop_committed(),
            }
            return;
        }
        self.counts.contradicted |= self.overlap.contradicts(origin.offset, text);
        if let Some(length) = line.piece.cut {
            let message = format!("a line of {length} bytes; the first {} are kept", text.len());
            self.reject(origin, Bad { code: Code::TooLong, message }, text);
        } else if let Some(fault) = line.cut_off
            && record::check(text).is_err()
        {
            // A line that the fault cut off is one record with the fault's code.
            self.reject(origin, Bad::of_object(fault), text);
        } else {
            envelope::open(self, text, origin);
        }
    }

    fn object_fault(&mut self, fault: BodyFault, origin: Origin) {
        let told = self.rejects.last().is_some_and(|reject| {
            reject.object == origin.object && reject.code == object_code(fault) && reject.line > 0
        });
        if !told {
            self.reject(origin, Bad::of_object(fault), &[]);
        }
    }

    /// One record that is not wrapped becomes a row.
    fn row(&mut self, text: &[u8], origin: Origin) -> Result<(), Bad> {
        let text = self.cells.read(text, self.fields)?;
        self.take(text, origin);
        Ok(())
    }

    /// The record in the cells becomes a row.
    #[inline]
    fn take(&mut self, text: &str, origin: Origin) {
        self.cells.count_unknown(self.fields);
        self.counts.read += 1;
        let row = self.rows.len();
        self.columns.push(&self.cells, text, &mut |slot, code, value| {
            self.faults.push(SlotFault { row, slot, code, value });
        });
        self.rows.push(origin);
    }

    fn reject(&mut self, origin: Origin, bad: Bad, text: &[u8]) {
        self.counts.read += 1;
        self.rejects.push(Reject {
            object: origin.object,
            line: origin.line,
            offset: origin.offset,
            column: None,
            code: bad.code,
            message: bad.message,
            raw: text.to_vec(),
        });
    }
}

/// What is known of a line besides its text.
struct Line<'a> {
    keep: &'a std::ops::Range<u64>,
    /// What cut the line off, if it has no end.
    cut_off: Option<BodyFault>,
    piece: &'a Piece,
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
