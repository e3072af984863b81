//! Where tables are written, and how errors name it.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Extensions, MultipartUpload, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
};

use super::local::BeforeCommit;
use crate::store::{Backend, RequestCounts, Store};
use crate::{Error, Result};

/// The output: a store rooted at `--out`.
#[derive(Debug, Clone)]
pub struct Output {
    /// Paths are relative to the output's root.
    pub objects: Arc<dyn ObjectStore>,
    /// The root, for messages: a folder or a URL.
    pub url: String,
    /// The store, which knows why a request was refused; `None` for an object
    /// store that is none of ours.
    pub refusals: Option<Store>,
}

impl Output {
    /// The output at a store's root.
    pub fn new(store: &Store) -> Output {
        Output {
            objects: store.object_store(),
            url: store.url().to_owned(),
            refusals: Some(store.clone()),
        }
    }

    /// Puts an object that counts only once a commit lists it: until then its name
    /// need not be on a local disk.
    ///
    /// # Errors
    /// What the store says.
    pub async fn put_before_commit(
        &self,
        path: &Path,
        bytes: PutPayload,
    ) -> object_store::Result<()> {
        let options = PutOptions { extensions: before_commit(), ..PutOptions::default() };
        self.objects.put_opts(path, bytes, options).await.map(drop)
    }

    /// As [`put_before_commit`](Self::put_before_commit), in parts.
    ///
    /// # Errors
    /// What the store says.
    pub async fn upload_before_commit(
        &self,
        path: &Path,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let extensions = before_commit();
        let options = PutMultipartOptions { extensions, ..PutMultipartOptions::default() };
        self.objects.put_multipart_opts(path, options).await
    }

    /// Waits until all that was put or deleted is so on a local disk. To be called
    /// before anybody is told that it is done.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub async fn finish(&self) -> Result<()> {
        match &self.refusals {
            Some(store) => store.finish().await,
            None => Ok(()),
        }
    }

    /// What to call an object in messages.
    pub fn place(&self, path: &Path) -> String {
        format!("{}/{path}", self.url.trim_end_matches('/'))
    }

    /// Whether it is a bucket.
    pub fn is_remote(&self) -> bool {
        let store = self.refusals.as_ref();
        store.is_some_and(|store| matches!(store.backend(), Backend::S3(_)))
    }

    /// The requests so far, as far as they are counted.
    pub fn requests(&self) -> RequestCounts {
        self.refusals.as_ref().map(|store| store.requests().snapshot()).unwrap_or_default()
    }

    /// Counts a put of a local output; on S3 they are counted as they are sent.
    pub fn count_put(&self, bytes: u64) {
        if let Some(store) = &self.refusals
            && let Backend::Local(_) = store.backend()
        {
            store.requests().put(1, bytes);
        }
    }

    /// What the operator can do about a failed delete.
    pub fn delete_error(&self, path: &Path, e: object_store::Error) -> Error {
        match &self.refusals {
            Some(store) => store.delete_error(path.as_ref(), e),
            None => Error::Write { place: self.place(path), source: e.into() },
        }
    }

    /// What the operator can do about a failed put.
    pub fn write_error(&self, path: &Path, e: object_store::Error) -> Error {
        match &self.refusals {
            Some(store) => store.write_error(path.as_ref(), e),
            None => Error::Write { place: self.place(path), source: e.into() },
        }
    }

    /// What the operator can do about a failed get.
    pub fn read_error(&self, path: &Path, e: object_store::Error) -> Error {
        match &self.refusals {
            Some(store) => store.read_error(path.as_ref(), e),
            None => Error::Read { object: self.place(path), source: e.into() },
        }
    }

    /// What the operator can do about a failed listing.
    pub fn list_error(&self, folder: &Path, e: object_store::Error) -> Error {
        match &self.refusals {
            Some(store) => store.list_error(folder.as_ref(), e),
            None => Error::Read { object: self.place(folder), source: e.into() },
        }
    }
}

fn before_commit() -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(BeforeCommit);
    extensions
}
