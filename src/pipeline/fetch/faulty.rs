//! An object store for tests: in memory, it keeps its GETs and breaks bodies.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use crate::store::Unserved;

/// What happens to one GET; a body breaks off after so many bytes.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// 503.
    Refused,
    /// Without a word.
    Short(usize),
    Reset(usize),
    /// The time is up.
    Late(usize),
    /// It is reset, and the object has another content then.
    Replaced(usize, Bytes),
    /// It is reset, and the object is gone then.
    Deleted(usize),
}

#[derive(Debug)]
pub(super) struct Faulty {
    pub inner: InMemory,
    pub gets: AtomicUsize,
    /// What was asked for.
    pub asked: Mutex<Vec<GetOptions>>,
    /// What happens to the next GETs.
    script: Mutex<VecDeque<Fault>>,
    /// How many of the next bodies break off.
    pub to_break: AtomicUsize,
    /// Whether they end early without a word, or with an error.
    short: AtomicBool,
}

impl Faulty {
    pub(super) fn new(inner: InMemory) -> Faulty {
        let (gets, to_break) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (asked, script) = (Mutex::default(), Mutex::default());
        Faulty { inner, gets, asked, script, to_break, short: AtomicBool::new(false) }
    }

    pub(super) fn break_bodies(&self, count: usize, short: bool) {
        self.to_break.store(count, SeqCst);
        self.short.store(short, SeqCst);
    }

    pub(super) fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().extend(faults);
    }

    /// The answer to a GET that something happens to.
    async fn fail(&self, path: &Path, options: GetOptions, fault: Fault) -> Result<GetResult> {
        if matches!(fault, Fault::Refused) {
            let refused = Unserved::Refused { status: 503, said: "slow down".into() };
            return Err(Error::Generic { store: "test", source: refused.into() });
        }
        let result = self.inner.get_opts(path, options).await?;
        let reset = || Some(HttpError::new(HttpErrorKind::Interrupted, fmt::Error));
        let (after, error) = match fault {
            Fault::Refused => (0, None),
            Fault::Short(after) => (after, None),
            Fault::Late(after) => (after, Some(HttpError::new(HttpErrorKind::Timeout, fmt::Error))),
            Fault::Reset(after) => (after, reset()),
            Fault::Replaced(after, content) => {
                self.inner.put(path, content.into()).await?;
                (after, reset())
            }
            Fault::Deleted(after) => {
                self.inner.delete(path).await?;
                (after, reset())
            }
        };
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let attributes = result.attributes.clone();
        let bytes = result.bytes().await?;
        let came = Ok(bytes.slice(..after.min(bytes.len())));
        let error = error.map(|e| Err(Error::Generic { store: "test", source: e.into() }));
        let payload =
            GetResultPayload::Stream(stream::iter([came].into_iter().chain(error)).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    fn broken(&self, bytes: &Bytes) -> BoxStream<'static, Result<Bytes>> {
        let half = Ok(bytes.slice(..bytes.len() / 2));
        let error = Err(Error::Generic { store: "test", source: "connection reset".into() });
        let rest = (!self.short.load(SeqCst)).then_some(error);
        stream::iter([half].into_iter().chain(rest)).boxed()
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.gets.fetch_add(1, SeqCst);
        self.asked.lock().unwrap().push(options.clone());
        let fault = self.script.lock().unwrap().pop_front();
        if let Some(fault) = fault {
            return self.fail(path, options, fault).await;
        }
        let result = self.inner.get_opts(path, options).await?;
        let breaks = self.to_break.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok();
        if !breaks {
            return Ok(result);
        }
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let attributes = result.attributes.clone();
        let payload = GetResultPayload::Stream(self.broken(&result.bytes().await?));
        Ok(GetResult { payload, meta, range, attributes })
    }

    async fn put_opts(&self, path: &Path, put: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, put, opts).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, opts).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
