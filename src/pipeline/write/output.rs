//! Where tables are written, and how errors name it.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use crate::Error;
use crate::store::{Backend, Store};

/// The output: a store rooted at `--out`.
#[derive(Debug, Clone)]
pub struct Output {
    /// Paths are relative to the output's root.
    pub objects: Arc<dyn ObjectStore>,
    /// The root, for messages: a folder or a URL.
    pub url: String,
    /// What knows why a request was refused, where that is not plain.
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

    /// What to call an object in messages.
    pub fn place(&self, path: &Path) -> String {
        format!("{}/{path}", self.url.trim_end_matches('/'))
    }

    /// Counts a put of a local output; on S3 they are counted as they are sent.
    pub fn count_put(&self, bytes: u64) {
        if let Some(store) = &self.refusals
            && let Backend::Local(_) = store.backend()
        {
            store.requests().put(1, bytes);
        }
    }

    /// What the operator can do about a failed put or delete.
    pub fn write_error(&self, path: &Path, e: object_store::Error) -> Error {
        if let Some(store) = &self.refusals {
            return store.write_error(path.as_ref(), e);
        }
        match self.denied("s3:PutObject", path, e) {
            Ok(denied) => denied,
            Err(e) => Error::Write { place: self.place(path), source: e.into() },
        }
    }

    /// What the operator can do about a failed get.
    pub fn read_error(&self, path: &Path, e: object_store::Error) -> Error {
        if let Some(store) = &self.refusals {
            return store.read_error(path.as_ref(), e);
        }
        match self.denied("s3:GetObject", path, e) {
            Ok(denied) => denied,
            Err(e) => Error::Read { object: self.place(path), source: e.into() },
        }
    }

    /// What the operator can do about a failed listing.
    pub fn list_error(&self, folder: &Path, e: object_store::Error) -> Error {
        if let Some(store) = &self.refusals {
            return store.list_error(folder.as_ref(), e);
        }
        match self.denied("s3:ListBucket", folder, e) {
            Ok(denied) => denied,
            Err(e) => Error::Read { object: self.place(folder), source: e.into() },
        }
    }

    fn denied(
        &self,
        action: &'static str,
        path: &Path,
        e: object_store::Error,
    ) -> Result<Error, object_store::Error> {
        use object_store::Error::{PermissionDenied, Unauthenticated};
        match e {
            PermissionDenied { .. } | Unauthenticated { .. } => {
                Ok(Error::AccessDenied { action, place: self.place(path), source: e.into() })
            }
            e => Err(e),
        }
    }
}
