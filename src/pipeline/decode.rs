//! Decoding: lines → columns of fields, and rejects. Pure.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;

use super::fetch::RawBatch;

/// Columns of fields, one row a record.
pub struct DecodedBatch {
    /// One column a [`Slot`](crate::spec::Slot), named by its index.
    pub frame: DataFrame,
    /// Where each row came from; as long as the frame.
    pub rows: Vec<Origin>,
    /// Values that are not what their slot wants, by row.
    pub faults: Vec<SlotFault>,
    /// Records that are no rows.
    pub rejects: Vec<Reject>,
    /// Counts.
    pub counts: DecodeCounts,
    /// The bytes that the rows came from.
    pub raw: RawBatch,
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

/// Why a record or value was rejected. Its text is stable: it is in the
/// quarantine and the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Not JSON, or cut short.
    InvalidJson,
    /// JSON, and more after it.
    TrailingText,
    /// JSON, but an array, number, string, boolean or null.
    NotAnObject,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// An escape that is no character, such as a lone surrogate.
    InvalidEscape,
    /// A field that is there twice.
    DuplicateKey,
    /// Nested deeper than 128.
    TooDeep,
    /// A line of over 16 MiB.
    TooLong,
    /// None of the transform's fields.
    NoKnownField,
    /// The gzip stream ended early.
    GzipTruncated,
    /// The gzip stream is damaged.
    GzipCorrupt,
    /// The gzip stream inflates more than 1,000 times.
    GzipRatio,
    /// The object is larger than 1 GiB.
    ObjectTooLarge,
    /// The object was listed and is gone.
    ObjectGone,
    /// Not of the column's type.
    Type,
    /// Of the column's type, but too large for it.
    Overflow,
    /// NaN or an infinity.
    NotFinite,
    /// A timestamp or date in none of the formats.
    Format,
    /// Outside the column's range.
    Range,
    /// Not among the allowed values.
    NotAllowed,
    /// Null in a required column.
    Required,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 21] = [
        Code::InvalidJson,
        Code::TrailingText,
        Code::NotAnObject,
        Code::InvalidUtf8,
        Code::InvalidEscape,
        Code::DuplicateKey,
        Code::TooDeep,
        Code::TooLong,
        Code::NoKnownField,
        Code::GzipTruncated,
        Code::GzipCorrupt,
        Code::GzipRatio,
        Code::ObjectTooLarge,
        Code::ObjectGone,
        Code::Type,
        Code::Overflow,
        Code::NotFinite,
        Code::Format,
        Code::Range,
        Code::NotAllowed,
        Code::Required,
    ];

    /// The code of a stable name.
    pub fn parse(name: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidJson => "invalid_json",
            Code::TrailingText => "trailing_text",
            Code::NotAnObject => "not_an_object",
            Code::InvalidUtf8 => "invalid_utf8",
            Code::InvalidEscape => "invalid_escape",
            Code::DuplicateKey => "duplicate_key",
            Code::TooDeep => "too_deep",
            Code::TooLong => "too_long",
            Code::NoKnownField => "no_known_field",
            Code::GzipTruncated => "gzip_truncated",
            Code::GzipCorrupt => "gzip_corrupt",
            Code::GzipRatio => "gzip_ratio",
            Code::ObjectTooLarge => "object_too_large",
            Code::ObjectGone => "object_gone",
            Code::Type => "type",
            Code::Overflow => "overflow",
            Code::NotFinite => "not_finite",
            Code::Format => "format",
            Code::Range => "range",
            Code::NotAllowed => "not_allowed",
            Code::Required => "required",
        }
    }
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
    /// Fields that no slot reads, by name.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Per object that ended in this batch: its index and its records.
    pub ended: Vec<(usize, u64)>,
}
