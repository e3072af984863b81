//! Fetching: objects → buffers of whole lines.

use std::ops::Range;
use std::sync::Arc;

use super::discover::Object;
use super::plan::Shard;

/// Plain bytes of one or more objects, cut at line ends.
///
/// Invariants: pieces are in order and do not overlap; a piece starts at a line
/// start and ends after a line end or at the end of its object.
#[derive(Debug)]
pub struct RawBatch {
    /// The shard that the pieces are of.
    pub shard: Arc<Shard>,
    /// The bytes, decompressed.
    pub bytes: Vec<u8>,
    /// What of `bytes` belongs to which object.
    pub pieces: Vec<Piece>,
}

/// A run of whole lines of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index into [`Shard::objects`].
    pub object: usize,
    /// Its bytes in the batch.
    pub range: Range<usize>,
    /// Physical lines of the object before this piece.
    pub lines_before: u64,
    /// Records (lines that are not blank) of the object before this piece.
    pub records_before: u64,
    /// Whether the object ends here.
    pub last: bool,
    /// What was wrong with the object's bytes after this piece, if anything.
    /// The piece's last line may then be cut short.
    pub fault: Option<BodyFault>,
}

/// What can be wrong with an object as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// The gzip stream ended before its end, or its check sum is wrong.
    GzipTruncated,
    /// The gzip stream is damaged.
    GzipCorrupt,
    /// The gzip stream inflates more than 1,000 times.
    GzipRatio,
    /// More than 1 GiB, inflated.
    ObjectTooLarge,
    /// The object was listed and is gone.
    Gone,
}

/// One read of a line longer than the limit: the line's first bytes are kept.
pub const LINE_LIMIT: usize = 16 << 20;
/// The largest object, inflated.
pub const OBJECT_LIMIT: u64 = 1 << 30;
/// The largest ratio of inflated to compressed bytes.
pub const GZIP_RATIO_LIMIT: u64 = 1000;

impl RawBatch {
    /// The object that a piece belongs to.
    pub fn object(&self, piece: &Piece) -> &Object {
        &self.shard.objects[piece.object]
    }
}
