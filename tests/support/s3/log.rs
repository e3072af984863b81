//! What the server was asked, in the order of arrival.

use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The operations of S3 that this server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// ListObjectsV2.
    List,
    Get,
    Head,
    Put,
    Delete,
    DeleteMany,
    Tags,
    CreateUpload,
    UploadPart,
    CompleteUpload,
    AbortUpload,
    ListParts,
    CreateBucket,
    HeadBucket,
    BucketLocation,
    /// Not served, or refused before it was understood (a bad signature).
    Other,
}

impl Op {
    /// From the name in the S3 API.
    pub fn named(name: &str) -> Op {
        match name {
            "ListObjectsV2" => Op::List,
            "GetObject" => Op::Get,
            "HeadObject" => Op::Head,
            "PutObject" => Op::Put,
            "DeleteObject" => Op::Delete,
            "DeleteObjects" => Op::DeleteMany,
            "GetObjectTagging" => Op::Tags,
            "CreateMultipartUpload" => Op::CreateUpload,
            "UploadPart" => Op::UploadPart,
            "CompleteMultipartUpload" => Op::CompleteUpload,
            "AbortMultipartUpload" => Op::AbortUpload,
            "ListParts" => Op::ListParts,
            "CreateBucket" => Op::CreateBucket,
            "HeadBucket" => Op::HeadBucket,
            "GetBucketLocation" => Op::BucketLocation,
            _ => Op::Other,
        }
    }
}

/// One request, as it arrived, and how it was answered.
#[derive(Debug, Clone)]
pub struct Request {
    pub op: Op,
    /// GET, PUT, …
    pub method: String,
    /// Empty if the request names none.
    pub bucket: String,
    pub key: Option<String>,
    /// Of a List.
    pub prefix: Option<String>,
    /// Of a List.
    pub start_after: Option<String>,
    /// A List with a continuation token.
    pub continued: bool,
    /// The header of a Get.
    pub range: Option<String>,
    /// Whether it carried a signature.
    pub signed: bool,
    /// `None` while it is served, if its connection was closed without an
    /// answer, or if the client went away.
    pub status: Option<u16>,
}

/// A request in the log, whose status is still to come.
#[derive(Debug)]
pub struct Entry {
    request: Request,
    status: AtomicU16,
}

impl Entry {
    pub fn request(&self) -> &Request {
        &self.request
    }

    pub fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Release);
    }

    fn snapshot(&self) -> Request {
        let status = Some(self.status.load(Ordering::Acquire)).filter(|status| *status != 0);
        Request { status, ..self.request.clone() }
    }
}

#[derive(Debug, Default)]
pub struct Log {
    entries: Mutex<Vec<Arc<Entry>>>,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    connections: AtomicUsize,
}

impl Log {
    pub fn push(&self, request: Request) -> Arc<Entry> {
        let entry = Arc::new(Entry { request, status: AtomicU16::new(0) });
        self.lock().push(Arc::clone(&entry));
        entry
    }

    pub fn requests(&self) -> Vec<Request> {
        self.lock().iter().map(|entry| entry.snapshot()).collect()
    }

    pub fn count(&self, op: Op) -> usize {
        self.lock().iter().filter(|entry| entry.request.op == op).count()
    }

    pub fn clear(&self) {
        self.lock().clear();
        self.peak.store(self.in_flight.load(Ordering::Relaxed), Ordering::Relaxed);
        self.connections.store(0, Ordering::Relaxed);
    }

    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn enter(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(now, Ordering::Relaxed);
        InFlight(self)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct InFlight<'a>(&'a Log);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
