//! Fetching: objects → buffers of whole lines.

use std::ops::Range;
use std::sync::Arc;

use super::discover::Object;
use super::plan::Shard;

/// Plain bytes of one or more objects, cut at line ends.
///
/// Pieces are in order and do not overlap. Over the batches of a shard, the
/// pieces of an object follow each other, and exactly one of them is its
/// [`last`](Piece::last).
#[derive(Debug)]
pub struct RawBatch {
    /// The shard that the pieces are of.
    pub shard: Arc<Shard>,
    /// The bytes, inflated. A byte that is in no piece means nothing.
    pub bytes: Vec<u8>,
    /// What of `bytes` belongs to which object.
    pub pieces: Vec<Piece>,
}

/// A run of whole lines of one object, or the head of one line that is too long.
///
/// It starts at a line start, after a byte order mark if the object begins with
/// one. It ends after a line end or where its object ends, unless
/// [`cut`](Piece::cut) says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Index into [`Shard::objects`].
    pub object: usize,
    /// Its bytes in the batch; empty for an object of 0 bytes, or one that is gone.
    pub range: Range<usize>,
    /// Physical lines of the object before this piece.
    pub lines_before: u64,
    /// Records of the object before this piece: lines that are not blank. A
    /// blank line holds nothing but ASCII white space. A line that is too long
    /// is a record.
    pub records_before: u64,
    /// `Some(n)` if the piece is one line of `n` bytes, more than
    /// [`LINE_LIMIT`]: it then holds the line's first [`LINE_LIMIT`] bytes, no
    /// line end, and nothing else. The rest of the line is in no piece. `n` does
    /// not count the line end.
    pub cut: Option<u64>,
    /// Whether the object ends here.
    pub last: bool,
    /// Why the object ends here, if it should not; only if it is the `last`
    /// piece. What came before the fault is kept, so that the piece may end in
    /// the middle of a line.
    pub fault: Option<BodyFault>,
}

/// What can be wrong with an object as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// The gzip stream ended before its end.
    GzipTruncated,
    /// The gzip stream is damaged, its check sum is wrong, or other bytes than
    /// zeros come after it.
    GzipCorrupt,
    /// The gzip stream inflates more than [`GZIP_RATIO_LIMIT`] times.
    GzipRatio,
    /// More than [`OBJECT_LIMIT`], inflated.
    ObjectTooLarge,
    /// The object was listed and is gone.
    Gone,
}

/// The longest line, in bytes, without its line end.
pub const LINE_LIMIT: usize = 16 << 20;
/// The largest object, in bytes, inflated.
pub const OBJECT_LIMIT: u64 = 1 << 30;
/// The largest ratio of inflated to compressed bytes.
pub const GZIP_RATIO_LIMIT: u64 = 1000;

impl RawBatch {
    /// The object that a piece belongs to.
    pub fn object(&self, piece: &Piece) -> &Object {
        &self.shard.objects[piece.object]
    }
}
