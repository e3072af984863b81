//! A store that reads each commit of a log once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Larger commits are read again: there are few, and memory is bounded.
const LARGEST: u64 = 256 << 10;
/// A reader needs the ten commits since a checkpoint, at most.
const MOST: usize = 64;

/// Remembers the commits that were read. They never change: a version is put
/// only if it is absent. What is *there* is never remembered, so that a reading
/// is as fresh as without it.
#[derive(Debug)]
pub(super) struct Remembering {
    inner: Arc<dyn ObjectStore>,
    commits: Mutex<HashMap<Path, (ObjectMeta, Bytes)>>,
}

impl Remembering {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Remembering {
        Remembering { inner, commits: Mutex::default() }
    }

    fn remembered(&self, path: &Path) -> Option<GetResult> {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let (meta, bytes) = commits.get(path)?;
        Some(result(meta.clone(), bytes.clone()))
    }

    fn remember(&self, path: &Path, meta: &ObjectMeta, bytes: &Bytes) {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if commits.len() >= MOST {
            commits.clear();
        }
        commits.insert(path.clone(), (meta.clone(), bytes.clone()));
    }
}

fn result(meta: ObjectMeta, bytes: Bytes) -> GetResult {
    let range = 0..bytes.len() as u64;
    let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
    GetResult { payload, meta, range, attributes: Attributes::default() }
}

/// Whether a path is that of a commit, and the request asks for all of it.
fn is_commit(path: &Path, options: &GetOptions) -> bool {
    let plain = !options.head && options.range.is_none() && options.version.is_none();
    let name = path.filename().and_then(|name| name.strip_suffix(".json"));
    plain
        && name.is_some_and(|n| n.len() == 20 && n.bytes().all(|b| b.is_ascii_digit()))
        && path.parts().rev().nth(1).is_some_and(|folder| folder.as_ref() == "_delta_log")
}

impl fmt::Display for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Remembering {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        if !is_commit(path, &options) {
            return self.inner.get_opts(path, options).await;
        }
        if let Some(result) = self.remembered(path) {
            return Ok(result);
        }
        let got = self.inner.get_opts(path, options).await?;
        if got.meta.size > LARGEST {
            return Ok(got);
        }
        let meta = got.meta.clone();
        let bytes = got.bytes().await?;
        self.remember(path, &meta, &bytes);
        Ok(result(meta, bytes))
    }

    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
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

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn a_commit_is_read_once_and_all_else_as_often_as_it_is_asked_for() {
        let inner = Arc::new(InMemory::new());
        let store = Remembering::new(inner.clone());
        for (path, remembered) in [
            ("pin/_delta_log/00000000000000000007.json", true),
            ("pin/_delta_log/_last_checkpoint", false),
            ("pin/_delta_log/00000000000000000007.checkpoint.parquet", false),
            ("pin/00000000000000000007.json", false),
        ] {
            let path = Path::from(path);
            assert!(store.get(&path).await.is_err(), "that it is absent is not remembered");
            inner.put(&path, "one".into()).await.unwrap();
            for _ in 0..2 {
                assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "one");
            }
            inner.put(&path, "two".into()).await.unwrap();
            let expected = if remembered { "one" } else { "two" };
            assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), expected);
        }
    }
}
