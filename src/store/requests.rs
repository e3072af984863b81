//! Counts of requests and bytes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

/// Requests as they were sent, each attempt counted, and the bytes they moved.
///
/// S3 stores count at the HTTP layer. Work on local folders goes round it, so
/// the stages count that themselves with [`list`](Requests::list),
/// [`get`](Requests::get) and [`put`](Requests::put).
#[derive(Debug, Default)]
pub struct Requests {
    list: AtomicU64,
    get: AtomicU64,
    put: AtomicU64,
    other: AtomicU64,
    retries: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

/// What [`Requests`] had counted at one moment; goes into the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCounts {
    /// Listings: one page, or one local folder.
    pub list: u64,
    /// Reads of an object or a part of one.
    pub get: u64,
    /// Writes of an object or a part of one.
    pub put: u64,
    /// All others, such as DELETE and HEAD.
    pub other: u64,
    /// Attempts that failed in a way that is tried again: 5xx, 429, 408 and
    /// broken connections.
    pub retries: u64,
    /// Bytes read and written.
    pub bytes: u64,
    /// Bytes of objects that were read, as stored.
    pub bytes_read: u64,
    /// Bytes that were sent in the bodies of writes.
    pub bytes_written: u64,
}

impl Requests {
    /// Counts `n` listings.
    pub fn list(&self, n: u64) {
        self.list.fetch_add(n, Relaxed);
    }

    /// Counts `n` reads of `bytes` in all.
    pub fn get(&self, n: u64, bytes: u64) {
        self.get.fetch_add(n, Relaxed);
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    /// Counts `n` writes of `bytes` in all.
    pub fn put(&self, n: u64, bytes: u64) {
        self.put.fetch_add(n, Relaxed);
        self.bytes_written.fetch_add(bytes, Relaxed);
    }

    /// Counts `n` requests of any other kind.
    pub fn other(&self, n: u64) {
        self.other.fetch_add(n, Relaxed);
    }

    /// Counts an attempt that is tried again.
    pub(super) fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// The counts so far.
    pub fn snapshot(&self) -> RequestCounts {
        let (read, written) = (self.bytes_read.load(Relaxed), self.bytes_written.load(Relaxed));
        RequestCounts {
            list: self.list.load(Relaxed),
            get: self.get.load(Relaxed),
            put: self.put.load(Relaxed),
            other: self.other.load(Relaxed),
            retries: self.retries.load(Relaxed),
            bytes: read + written,
            bytes_read: read,
            bytes_written: written,
        }
    }
}

impl std::ops::Add for RequestCounts {
    type Output = RequestCounts;

    fn add(self, other: RequestCounts) -> RequestCounts {
        RequestCounts {
            list: self.list + other.list,
            get: self.get + other.get,
            put: self.put + other.put,
            other: self.other + other.other,
            retries: self.retries + other.retries,
            bytes: self.bytes + other.bytes,
            bytes_read: self.bytes_read + other.bytes_read,
            bytes_written: self.bytes_written + other.bytes_written,
        }
    }
}
