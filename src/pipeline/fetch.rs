//! Fetching: objects → buffers of whole lines.

use std::ops::Range;
use std::sync::Arc;

use tokio::runtime::Handle;

use self::batches::Batches;
use self::cut::CutLimits;
use self::gate::Gate;
use self::local::Local;
use self::remote::{Origin, Remote, ahead};
use super::discover::Object;
use super::plan::Shard;
use crate::Result;
use crate::key::Layout;
use crate::store::{Backend, Store};

mod again;
mod batches;
mod body;
mod came;
mod cut;
#[cfg(test)]
mod faulty;
mod gate;
mod get;
mod inflate;
mod limit;
mod local;
mod remote;
mod tail;
#[cfg(test)]
mod testing;

/// Lines that are shorter than this on average fill a batch by their number:
/// in later stages each takes about so much, however short it is.
const BYTES_A_LINE: usize = 64;

/// The most pieces in a batch.
const BATCH_PIECES: usize = 1 << 14;

/// How much of an object is read, or inflated, at once.
const CHUNK: usize = 1 << 20;

/// Reads the objects of shards; shared by all workers.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// Where the objects are.
    pub store: Store,
    /// How they are named.
    pub layout: Layout,
    /// How much is read at once.
    pub limits: FetchLimits,
    /// Where requests to S3 run, ahead of the workers; idle for a folder.
    pub runtime: Handle,
    /// What bounds these requests, over all shards.
    gate: Arc<Gate>,
}

impl Fetcher {
    /// A reader of objects. Copies of it share what it learns of the store.
    pub fn new(store: Store, layout: Layout, limits: FetchLimits, runtime: Handle) -> Fetcher {
        let gate = Gate::new(limits.concurrency);
        Fetcher { store, layout, limits, runtime, gate }
    }
}

/// How much is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes after which a batch is full. A batch is longer by a chunk of 1 MiB
    /// and a line of [`LINE_LIMIT`] at most.
    pub batch_bytes: usize,
    /// The most objects asked for at once on S3, over all shards, but for the few
    /// that are asked for a second time. How many are is found out from the answers.
    pub concurrency: usize,
}

impl Default for FetchLimits {
    /// So many bytes are still in a core's cache when they are cleaned and encoded.
    fn default() -> FetchLimits {
        FetchLimits { batch_bytes: 1 << 20, concurrency: 512 }
    }
}

/// Reads the objects of a shard, in order.
///
/// Files are read by the thread that asks for a batch. Objects on S3 are read
/// ahead on the runtime, within a bound of bytes, until the batches are dropped; they must not be asked for on a thread of that runtime. The first
/// error is the last item; after a signal that is [`Error::Stopped`](crate::Error::Stopped),
/// at the next object. What is wrong with one object is no error, but its
/// piece's [`fault`](Piece::fault).
pub fn fetch(
    fetcher: &Fetcher,
    shard: Arc<Shard>,
) -> Box<dyn Iterator<Item = Result<RawBatch>> + Send> {
    let Fetcher { store, layout, limits, runtime, gate } = fetcher;
    let cut = CutLimits {
        batch_bytes: limits.batch_bytes,
        batch_pieces: BATCH_PIECES,
        batch_lines: limits.batch_bytes / BYTES_A_LINE,
        line: LINE_LIMIT,
        chunk: CHUNK,
    };
    let stop = store.stop().clone();
    match store.backend() {
        Backend::Local(root) => {
            let requests = Arc::clone(store.requests());
            let local = Local::new(root, Arc::clone(&shard), layout.clone(), requests);
            Box::new(Batches::new(local, shard, cut, OBJECT_LIMIT).stopped_by(stop))
        }
        Backend::S3(_) => {
            let ahead = ahead(limits.batch_bytes);
            let origin = Origin {
                store: store.attempts(),
                gate: Arc::clone(gate),
                shard: Arc::clone(&shard),
                layout: layout.clone(),
                stop: stop.clone(),
            };
            let explaining = store.clone();
            let explain = Box::new(move |key: &str, e| explaining.read_error(key, e));
            let remote = Remote::start(origin, ahead, runtime, explain);
            Box::new(Batches::new(remote, shard, cut, OBJECT_LIMIT).stopped_by(stop))
        }
    }
}

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
    /// The bytes, as stored, of each object whose last piece is among these, in
    /// their order. Of one that is gone they are as listed.
    pub sizes: Vec<u64>,
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
    /// blank line holds nothing but ASCII white space, as
    /// [`u8::is_ascii_whitespace`] has it. A line that is too long is a record.
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
