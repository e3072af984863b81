//! Writing objects: to a folder by threads, to a store by concurrent puts.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, available_parallelism};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path as Key;
use object_store::{ObjectStoreExt as _, PutPayload};

use super::Emulated;
use super::rotation::{Object, Rotations};
use crate::store::Store;
use crate::{Error, Result};

/// Bytes of objects in memory at a time; a single larger object still fits.
const MEMORY: u64 = 256 << 20;
/// Rotations that a thread takes at a time, if they are of one record.
const BATCH: u64 = 64;

/// Writes all rotations below a folder.
pub(super) fn local(root: &Path, rotations: &Rotations, concurrency: usize) -> Result<Emulated> {
    let cores = available_parallelism().map_or(1, usize::from);
    let threads = at_a_time(rotations, concurrency.min(cores));
    let work = Work { root, rotations, next: AtomicU64::new(0), failed: AtomicBool::new(false) };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.run())).collect();
        let mut total = Emulated::default();
        for thread in threads {
            let done = thread.join().map_err(|_| Error::Internal {
                stage: "emulate",
                message: "a writing thread panicked".into(),
            })?;
            total.merge(&done?);
        }
        Ok(total)
    })
}

/// Writes all rotations to an object store. Objects are made while others are
/// on their way.
pub(super) async fn remote(
    out: &Store,
    rotations: &Rotations<'_>,
    concurrency: usize,
) -> Result<Emulated> {
    let store = out.object_store();
    let put = |object: Object| {
        let store = store.clone();
        async move {
            let done = Emulated::of(&object);
            let Object { key, body, .. } = object;
            let location = Key::parse(&key)
                .map_err(|e| Error::Internal { stage: "emulate", message: e.to_string() })?;
            let payload = PutPayload::from(body);
            store.put(&location, payload).await.map_err(|e| out.write_error(&key, e))?;
            Ok(done)
        }
    };
    stream::iter(0..rotations.count())
        .flat_map(|number| stream::iter(rotations.objects(number)))
        .map(put)
        .buffer_unordered(at_a_time(rotations, concurrency))
        .try_fold(Emulated::default(), |mut total, done| async move {
            total.merge(&done);
            Ok(total)
        })
        .await
}

/// How many rotations may be in memory at a time.
fn at_a_time(rotations: &Rotations, concurrency: usize) -> usize {
    let fit = MEMORY / rotations.largest().max(1);
    concurrency.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1)
}

/// What the threads share.
struct Work<'a> {
    root: &'a Path,
    rotations: &'a Rotations<'a>,
    /// The first rotation that no thread has taken.
    next: AtomicU64,
    /// Whether the others need not go on.
    failed: AtomicBool,
}

impl Work<'_> {
    fn run(&self) -> Result<Emulated> {
        let batch = BATCH.div_ceil(self.rotations.flush_size());
        let mut total = Emulated::default();
        while !self.failed.load(Ordering::Relaxed) {
            let first = self.next.fetch_add(batch, Ordering::Relaxed);
            if first >= self.rotations.count() {
                break;
            }
            for number in first..(first + batch).min(self.rotations.count()) {
                for object in self.rotations.objects(number) {
                    self.write(&object).inspect_err(|_| {
                        self.failed.store(true, Ordering::Relaxed);
                    })?;
                    total.merge(&Emulated::of(&object));
                }
            }
        }
        Ok(total)
    }

    fn write(&self, object: &Object) -> Result<()> {
        let path = self.root.join(&object.key);
        write_file(&path, &object.body).map_err(|source| Error::Write {
            place: path.display().to_string(),
            source: Box::new(source),
        })
    }
}

/// Writes a file, and the folders above it when they turn out to be missing:
/// most are there already.
fn write_file(path: &Path, body: &[u8]) -> io::Result<()> {
    match (fs::write(path, body), path.parent()) {
        (Err(e), Some(folder)) if e.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            fs::write(path, body)
        }
        (result, _) => result,
    }
}

impl Emulated {
    fn of(object: &Object) -> Emulated {
        Emulated {
            objects: 1,
            records: object.records,
            bytes: object.body.len() as u64,
            bad: object.bad,
        }
    }

    fn merge(&mut self, other: &Emulated) {
        self.objects += other.objects;
        self.records += other.records;
        self.bytes += other.bytes;
        self.bad += other.bad;
    }
}
