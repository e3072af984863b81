//! Objects in an object store: read ahead on the runtime, taken in order.

use std::ops::Range;
use std::sync::{Arc, mpsc};

use bytes::Buf;
use futures::stream::{self, Stream, StreamExt};
use object_store::ObjectStore;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::OBJECT_LIMIT;
use super::batches::Objects;
use super::gate::{Gate, Slot};
use super::get::{Get, Got, PART, changed};
use crate::key::Layout;
use crate::pipeline::plan::Shard;
use crate::signals::Stop;
use crate::{Error, Result};

/// More than any gzip stream of [`OBJECT_LIMIT`] takes: the rest is not read.
const STORED_LIMIT: u64 = OBJECT_LIMIT + (1 << 20);

/// The unit in which bytes read ahead are counted; each request costs one at least.
const BLOCK: u64 = 1 << 10;

/// How many bytes to read ahead: the next part comes while one is taken.
pub(super) fn ahead(batch_bytes: usize) -> u64 {
    PART.max(batch_bytes as u64) * 2
}

/// Turns what the store said of a key into what the operator can do.
pub(super) type Explain = Box<dyn Fn(&str, object_store::Error) -> Error + Send>;

/// Objects and parts that are begun, done or not, before the first of them is
/// taken: one that is late, or is sent again, does not hold up so many others.
const UNITS: usize = 4096;

/// What is handed on together if it is there together.
const TOGETHER: usize = 64;

/// Where a shard's objects are read from.
pub(super) struct Origin {
    /// Sends each request once.
    pub store: Arc<dyn ObjectStore>,
    pub gate: Arc<Gate>,
    pub shard: Arc<Shard>,
    pub layout: Layout,
    /// Ends the reading ahead.
    pub stop: Stop,
}

/// The objects of one shard.
pub(super) struct Remote {
    shard: Arc<Shard>,
    layout: Layout,
    explain: Explain,
    parts: mpsc::Receiver<Vec<Part>>,
    received: std::vec::IntoIter<Part>,
    reader: JoinHandle<()>,
    current: Option<Current>,
    stop: Stop,
}

/// An object, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unit {
    object: usize,
    /// Bytes to read; none for all of them.
    range: Option<Range<u64>>,
    last: bool,
}

/// What came of a unit.
struct Part {
    unit: Unit,
    /// None if the object is gone.
    got: object_store::Result<Option<Got>>,
    room: Room,
}

/// Room in the budget of bytes; dropping it gives it back.
type Room = Option<OwnedSemaphorePermit>;

/// The part that is being taken.
struct Current {
    object: usize,
    last: bool,
    got: Got,
    _room: Room,
}

impl Remote {
    /// Starts reading ahead, up to so many bytes that are being read or were read
    /// and not taken; dropping the result ends it.
    pub(super) fn start(origin: Origin, ahead: u64, runtime: &Handle, explain: Explain) -> Self {
        let (shard, layout) = (Arc::clone(&origin.shard), origin.layout.clone());
        let (sender, parts) = mpsc::channel();
        let stop = origin.stop.clone();
        let stopping = stop.clone();
        let reader = runtime.spawn(async move {
            // What is under way is given up: nobody will take it.
            tokio::select! {
                () = hand_on(read_ahead(origin, ahead), sender) => {}
                () = stopping.stopped() => {}
            }
        });
        let received = Vec::new().into_iter();
        Remote { shard, layout, explain, parts, received, reader, current: None, stop }
    }

    fn receive(&mut self) -> Result<Part> {
        loop {
            if let Some(part) = self.received.next() {
                return Ok(part);
            }
            let parts = self.parts.recv().map_err(|_| self.ended_early())?;
            self.received = parts.into_iter();
        }
    }

    fn ended_early(&self) -> Error {
        let message = "reading ahead ended before its objects".to_owned();
        self.stop.check().err().unwrap_or(Error::Internal { stage: "fetch", message })
    }

    fn failed(&self, object: usize, e: object_store::Error) -> Error {
        (self.explain)(&self.shard.objects[object].key(&self.shard.source, &self.layout), e)
    }

    /// Takes a part's bytes; `None` if the object is gone.
    fn take(&self, part: Part) -> Result<Option<Current>> {
        let Unit { object, last, .. } = part.unit;
        let got = part.got.map_err(|e| self.failed(object, e))?;
        Ok(got.map(|got| Current { object, last, got, _room: part.room }))
    }

    /// Takes the part after one that ended, which must be of the same content.
    fn take_after(&mut self, object: usize, etag: Option<String>) -> Result<Current> {
        let part = self.receive()?;
        match self.take(part)? {
            Some(next) if next.object == object && next.got.etag == etag => Ok(next),
            _ => Err(self.failed(object, changed("its parts are not of one content"))),
        }
    }
}

impl Objects for Remote {
    fn open(&mut self, object: usize) -> Result<bool> {
        self.current = None;
        loop {
            let part = self.receive()?;
            // Parts of an object that was given up are passed over.
            if part.unit.object == object {
                self.current = self.take(part)?;
                return Ok(self.current.is_some());
            }
        }
    }

    fn size(&self) -> Option<u64> {
        self.current.as_ref().map(|current| current.got.size)
    }

    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize> {
        while let Some(current) = &mut self.current {
            let n = most.min(current.got.bytes.len());
            if n > 0 {
                out.extend_from_slice(&current.got.bytes[..n]);
                current.got.bytes.advance(n);
                return Ok(n);
            }
            if current.last {
                break;
            }
            let (object, etag) = (current.object, current.got.etag.take());
            // Its room must be free before the next part is waited for.
            self.current = None;
            self.current = Some(self.take_after(object, etag)?);
        }
        Ok(0)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Hands on what was read, until nobody takes it any more.
async fn hand_on(parts: impl Stream<Item = Part>, taker: mpsc::Sender<Vec<Part>>) {
    let mut parts = std::pin::pin!(parts.ready_chunks(TOGETHER));
    while let Some(parts) = parts.next().await {
        if taker.send(parts).is_err() {
            return;
        }
    }
}

/// Reads the units in order, several at once. A unit is begun only when there is
/// room for its bytes, so that what was read and not taken stays in the budget,
/// and when its request may be sent.
fn read_ahead(origin: Origin, ahead: u64) -> impl Stream<Item = Part> {
    let blocks = u32::try_from(ahead / BLOCK).unwrap_or(u32::MAX).max(1);
    let budget = Arc::new(Semaphore::new(blocks as usize));
    let gate = Arc::clone(&origin.gate);
    let units = units(Arc::clone(&origin.shard));
    stream::iter(units)
        .then(move |(unit, bytes)| {
            let cost = u32::try_from(bytes.div_ceil(BLOCK).max(1)).unwrap_or(u32::MAX).min(blocks);
            let (budget, gate) = (Arc::clone(&budget), Arc::clone(&gate));
            async move {
                // The budget is never closed, so that there is always room one day.
                let room = budget.acquire_many_owned(cost).await.ok();
                Begun { unit, room, slot: gate.enter().await }
            }
        })
        .map(move |Begun { unit, room, slot }| {
            let get = origin.get(unit.object);
            async move {
                let got = match get {
                    Ok(get) => get.run(unit.range.clone(), slot).await,
                    Err(e) => Err(e),
                };
                Part { unit, got, room }
            }
        })
        .buffered(UNITS)
}

/// A unit that may be asked for now.
struct Begun {
    unit: Unit,
    room: Room,
    slot: Slot,
}

impl Origin {
    fn get(&self, object: usize) -> object_store::Result<Get> {
        let object = &self.shard.objects[object];
        // `Path::from` would encode what is in the key already.
        let path = object_store::path::Path::parse(object.key(&self.shard.source, &self.layout))?;
        let etag = object.etag.as_deref().map(str::to_owned);
        let (store, gate) = (Arc::clone(&self.store), Arc::clone(&self.gate));
        Ok(Get { store, gate, path, etag, size: object.size })
    }
}

/// What to read of a shard, in order, and how many bytes each is.
fn units(shard: Arc<Shard>) -> impl Iterator<Item = (Unit, u64)> {
    (0..shard.objects.len()).flat_map(move |object| units_of(object, shard.objects[object].size))
}

fn units_of(object: usize, size: u64) -> impl Iterator<Item = (Unit, u64)> {
    let stored = size.min(STORED_LIMIT);
    let count = stored.div_ceil(PART).max(1);
    (0..count).map(move |n| {
        let range = n * PART..stored.min((n + 1) * PART);
        let bytes = range.end - range.start;
        (Unit { object, range: (count > 1).then_some(range), last: n + 1 == count }, bytes)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;
    use std::time::Duration;

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::super::batches::Batches;
    use super::super::cut::CutLimits;
    use super::super::faulty::Faulty;
    use super::super::testing::{gz, lines_of, model, object, shard_of};
    use super::*;
    use crate::pipeline::fetch::{BodyFault, LINE_LIMIT, RawBatch};

    struct Bucket {
        store: Arc<Faulty>,
        runtime: tokio::runtime::Runtime,
    }

    impl Bucket {
        fn new() -> Bucket {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            Bucket { store: Arc::new(Faulty::new(InMemory::new())), runtime }
        }

        fn layout() -> Layout {
            Layout { topics_dir: "topics".into(), file_delim: "+".into() }
        }

        fn path(shard: &Shard, n: usize) -> Path {
            Path::parse(shard.objects[n].key(&shard.source, &Bucket::layout())).unwrap()
        }

        fn put(&self, shard: &Shard, n: usize, body: &[u8]) -> Option<String> {
            let body = body.to_vec().into();
            let path = Bucket::path(shard, n);
            let put = self.store.inner.put(&path, body);
            self.runtime.block_on(put).unwrap().e_tag
        }

        fn fill(&self, bodies: &[Vec<u8>]) -> Arc<Shard> {
            let objects = (0..).zip(bodies).map(|(n, body)| object(n, body.len() as u64));
            let mut shard = Arc::into_inner(shard_of(objects.collect())).unwrap();
            for (n, body) in bodies.iter().enumerate() {
                shard.objects[n].etag = self.put(&shard, n, body).map(Into::into);
            }
            Arc::new(shard)
        }

        fn batches(&self, shard: &Arc<Shard>, (most, ahead): (usize, u64)) -> Batches<Remote> {
            let limits = CutLimits {
                batch_bytes: 1 << 20,
                batch_pieces: 1 << 10,
                batch_lines: 1 << 20,
                line: LINE_LIMIT,
                chunk: 1 << 18,
            };
            let store = Arc::clone(&self.store) as Arc<dyn ObjectStore>;
            let (gate, shared) = (Gate::new(most), Arc::clone(shard));
            let (layout, stop) = (Bucket::layout(), Stop::default());
            let origin = Origin { store, gate, shard: shared, layout, stop };
            let explain: Explain = Box::new(|key, e| match e {
                object_store::Error::Precondition { .. } => Error::Changed { object: key.into() },
                e => Error::Read { object: key.into(), source: e.into() },
            });
            let remote = Remote::start(origin, ahead, self.runtime.handle(), explain);
            Batches::new(remote, Arc::clone(shard), limits, OBJECT_LIMIT)
        }

        fn fetch(&self, shard: &Arc<Shard>) -> Result<Vec<RawBatch>> {
            self.batches(shard, (4, 16 << 20)).collect()
        }
    }

    fn expect(batches: &[RawBatch], bodies: &[Vec<u8>]) {
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        assert!(lines_of(batches) == model(&bodies, LINE_LIMIT));
    }

    fn faults(batches: &[RawBatch]) -> Vec<Option<BodyFault>> {
        let pieces = batches.iter().flat_map(|batch| &batch.pieces);
        pieces.filter(|piece| piece.last).map(|piece| piece.fault).collect()
    }

    fn small(count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|n| format!("{{\"n\":{n}}}\n").repeat(n % 3).into_bytes()).collect()
    }

    fn large() -> Vec<u8> {
        (0..20 << 10)
            .flat_map(|n| {
                format!(
                    "{n:01023}
"
                )
                .into_bytes()
            })
            .collect()
    }

    /// Waits until so many objects were asked for, and then until no more are; how
    /// many were. A busy machine may take its time for the first of them.
    fn settled(store: &Faulty, least: usize) -> usize {
        let mut gets = 0;
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(100));
            let now = store.gets.load(SeqCst);
            if now == gets && now >= least {
                break;
            }
            gets = now;
        }
        gets
    }

    #[test]
    fn large_objects_are_read_in_parts_and_small_ones_whole() {
        let whole = |size| units_of(7, size).map(|(unit, _)| unit).collect::<Vec<_>>();
        for size in [0, 1, PART] {
            assert_eq!(whole(size), [Unit { object: 7, range: None, last: true }]);
        }
        for size in [PART + 1, 3 * PART, 3 * PART + 5] {
            let units = whole(size);
            let ranges: Vec<_> = units.iter().map(|unit| unit.range.clone().unwrap()).collect();
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, size));
            assert!(ranges.windows(2).all(|two| two[0].end == two[1].start));
            assert_eq!(units.iter().filter(|unit| unit.last).count(), 1);
        }
        assert_eq!(units_of(7, u64::MAX).map(|(_, bytes)| bytes).sum::<u64>(), STORED_LIMIT);
    }

    #[test]
    fn objects_come_in_order_whatever_their_size() {
        let bucket = Bucket::new();
        let mut bodies = small(500);
        bodies[250] = large();
        let mut stored = bodies.clone();
        stored[3] = gz(&bodies[3]);
        let shard = bucket.fill(&stored);
        for ahead in [(1, 1), (64, 1 << 14), (64, 64 << 20)] {
            let batches: Vec<_> = bucket.batches(&shard, ahead).collect::<Result<_>>().unwrap();
            expect(&batches, &bodies);
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_read_again() {
        let bucket = Bucket::new();
        let bodies = vec![b"a\nb\n".to_vec(), large()];
        let shard = bucket.fill(&bodies);
        for short in [true, false] {
            bucket.store.break_bodies(2, short);
            expect(&bucket.fetch(&shard).unwrap(), &bodies);
            assert_eq!(bucket.store.to_break.load(SeqCst), 0);
        }
        bucket.store.break_bodies(1000, true);
        assert!(matches!(bucket.fetch(&shard), Err(Error::Read { .. })));
    }

    #[test]
    fn an_object_that_is_gone_is_a_fault_of_its_piece() {
        let bucket = Bucket::new();
        let shard = bucket.fill(&[b"a".to_vec(), b"b".to_vec(), large(), b"c".to_vec()]);
        for n in [1, 2] {
            let path = Bucket::path(&shard, n);
            bucket.runtime.block_on(bucket.store.inner.delete(&path)).unwrap();
        }
        let gone = Some(BodyFault::Gone);
        assert_eq!(faults(&bucket.fetch(&shard).unwrap()), [None, gone, gone, None]);
    }

    #[test]
    fn a_small_object_that_changed_since_the_listing_counts_as_it_is_now() {
        let bucket = Bucket::new();
        let shard = bucket.fill(&[b"a\n".to_vec(), b"b\n".to_vec()]);
        bucket.put(&shard, 0, b"now\nmore\n");
        expect(&bucket.fetch(&shard).unwrap(), &[b"now\nmore\n".to_vec(), b"b\n".to_vec()]);
        // One that does not fit into the budget any more is left to the next run.
        bucket.put(&shard, 0, &large());
        assert!(matches!(bucket.fetch(&shard), Err(Error::Changed { .. })));
    }

    #[test]
    fn a_large_object_that_changes_fails_the_run() {
        for listed_etag in [true, false] {
            let bucket = Bucket::new();
            let mut shard = Arc::into_inner(bucket.fill(&[large()])).unwrap();
            if !listed_etag {
                shard.objects[0].etag = None;
            }
            let shard = Arc::new(shard);
            let mut batches = bucket.batches(&shard, (1, 1));
            batches.next().unwrap().unwrap();
            bucket.put(&shard, 0, &large());
            let error = batches.find_map(Result::err);
            assert!(matches!(error, Some(Error::Changed { .. })), "{error:?}");
        }
    }

    #[test]
    fn what_is_read_ahead_stays_within_the_budget() {
        let bucket = Bucket::new();
        let shard = bucket.fill(&vec![vec![b'x'; 1023]; 2000]);
        let mut batches = bucket.batches(&shard, (64, 100 << 10));
        assert_eq!(settled(&bucket.store, 100), 100);
        batches.next().unwrap().unwrap();
        let gets = settled(&bucket.store, 1000);
        drop(batches);
        assert!((1000..=1200).contains(&gets), "{gets}");
    }

    #[test]
    fn two_parts_are_under_way_before_the_first_is_taken() {
        for batch_bytes in [1 << 10, 1 << 20, PART as usize + 1] {
            let bucket = Bucket::new();
            let shard = bucket.fill(&[vec![b'x'; 2 * PART as usize]]);
            let batches = bucket.batches(&shard, (64, ahead(batch_bytes)));
            let gets = settled(&bucket.store, 2);
            drop(batches);
            assert_eq!(gets, 2, "{batch_bytes}");
        }
    }

    #[test]
    fn sizes_are_those_of_what_was_read_and_what_is_gone_keeps_the_size_that_was_listed() {
        let bucket = Bucket::new();
        let packed = gz(&b"{}\n".repeat(100));
        let listed = [b"a\n".to_vec(), packed.clone(), b"gone".to_vec(), Vec::new(), large()];
        let shard = bucket.fill(&listed);
        bucket.put(&shard, 0, b"longer now\n");
        bucket.runtime.block_on(bucket.store.inner.delete(&Bucket::path(&shard, 2))).unwrap();
        let batches = bucket.fetch(&shard).unwrap();
        let sizes: Vec<u64> = batches.iter().flat_map(|batch| batch.sizes.clone()).collect();
        assert_eq!(sizes, [11, packed.len() as u64, 4, 0, 20 << 20]);
    }

    #[test]
    fn dropping_the_batches_stops_reading() {
        let bucket = Bucket::new();
        let shard = bucket.fill(&small(10));
        let batches = bucket.batches(&shard, (1, 1));
        drop(batches);
        let stopped = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            Arc::strong_count(&bucket.store) == 1
        });
        assert!(stopped, "the reader still holds the store");
    }
}
