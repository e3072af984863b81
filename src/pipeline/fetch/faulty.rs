//! An object store for tests: in memory, it counts its GETs and breaks bodies.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub(super) struct Faulty {
    pub inner: InMemory,
    pub gets: AtomicUsize,
    /// How many of the next bodies break off.
    pub to_break: AtomicUsize,
    /// Whether they end early without a word, or with an error.
    short: AtomicBool,
}

impl Faulty {
    pub(super) fn new(inner: InMemory) -> Faulty {
        let (gets, to_break) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Faulty { inner, gets, to_break, short: AtomicBool::new(false) }
    }

    pub(super) fn break_bodies(&self, count: usize, short: bool) {
        self.to_break.store(count, SeqCst);
        self.short.store(short, SeqCst);
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
