//! A folder of a local disk as an object store that survives a power cut.
//!
//! `object_store` reads and lists, but its writes are never synced. So files are
//! written here, in the same way as there: under a name such as `x.parquet#1` that no
//! listing shows, which then becomes their own.
//!
//! | a put | what is on the disk when it returns |
//! |---|---|
//! | before a commit ([`BeforeCommit`]) | the bytes; their names with the next commit |
//! | if the object is absent: a commit | all that was put before, then the object |
//! | any other | the object |
//!
//! Nothing is deleted before all that was put is on the disk, as it may replace what
//! is deleted.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, RenameTargetMode, Result,
};
use tokio::runtime::Handle;

use crate::disk::{self, PendingSyncs, SyncFailed};

mod upload;
mod writing;

use upload::DiskUpload;
use writing::{Ending, put};

/// Files that are deleted at once.
const DELETED_AT_ONCE: usize = 10;

/// Says of a put that a commit follows which counts on it: the names in a folder are
/// then synced once for all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct BeforeCommit;

/// A folder as an object store; see the [module](self).
#[derive(Debug)]
pub(super) struct LocalDisk {
    files: LocalFileSystem,
    pending: Arc<PendingSyncs>,
}

/// What failed, and where.
#[derive(Debug, thiserror::Error)]
#[error("the system refused {}", path.display())]
struct DiskFailure {
    path: PathBuf,
    source: io::Error,
}

/// Whether an operation failed because a file or folder of a local disk could not be
/// synced. What it did is then not known, though the file may be there: it must not
/// count as done.
pub fn sync_failed(error: &object_store::Error) -> bool {
    SyncFailed::is_cause_of(error)
}

impl LocalDisk {
    /// The store of a folder that is there.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn new(root: &FilePath, pending: PendingSyncs) -> Result<LocalDisk> {
        let files = LocalFileSystem::new_with_prefix(root)?;
        Ok(LocalDisk { files, pending: Arc::new(pending) })
    }

    /// Waits until all that was put or deleted is so on the disk.
    ///
    /// # Errors
    /// [`SyncFailed`], also for a sync that failed before.
    pub(super) async fn finish(&self) -> Result<()> {
        let pending = Arc::clone(&self.pending);
        blocking(move || pending.finish().map_err(|e| failed(FilePath::new(""), e))).await
    }

    /// The same listing. A commit whose staged file is still there may not be on the
    /// disk: its process died, or has not synced the folder yet. This one is about to
    /// count on it, so that it syncs the folder too.
    fn noting_unsettled(
        &self,
        listed: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (files, pending) = (self.files.clone(), Arc::clone(&self.pending));
        let note = move |object: &ObjectMeta| {
            if let (true, Ok(path)) =
                (is_commit(&object.location), files.path_to_filesystem(&object.location))
                && writing::is_unsettled(&path)
            {
                pending.note_name(&path);
            }
        };
        listed.inspect_ok(note).boxed()
    }

    /// What [`copy_opts`](ObjectStore::copy_opts) and
    /// [`rename_opts`](ObjectStore::rename_opts) have in common: all that was put is on
    /// the disk before, and the new name after.
    async fn give_name(
        &self,
        from: &Path,
        to: &Path,
        give: impl FnOnce(&FilePath, &FilePath) -> io::Result<()> + Send + 'static,
    ) -> Result<()> {
        let (from, to) = (self.files.path_to_filesystem(from)?, self.files.path_to_filesystem(to)?);
        let pending = Arc::clone(&self.pending);
        blocking(move || {
            to.parent()
                .map_or(Ok(()), |folder| pending.make_folder(folder))
                .and_then(|()| pending.settle())
                .and_then(|()| give(&from, &to))
                .and_then(|()| pending.sync_folder_of(&to))
                .map_err(|e| failed(&to, e))?;
            pending.note_removal(&from);
            Ok(())
        })
        .await
    }
}

/// Whether a name is that of a commit of a log: a number.
fn is_commit(location: &Path) -> bool {
    let number = location.filename().and_then(|name| name.strip_suffix(".json"));
    number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await?,
        Err(_) => work(),
    }
}

fn failed(path: &FilePath, source: io::Error) -> object_store::Error {
    let kind = source.kind();
    let place = path.display().to_string();
    let failure = Box::new(DiskFailure { path: path.to_owned(), source });
    match kind {
        ErrorKind::NotFound => object_store::Error::NotFound { path: place, source: failure },
        ErrorKind::AlreadyExists => {
            object_store::Error::AlreadyExists { path: place, source: failure }
        }
        _ => object_store::Error::Generic { store: "local disk", source: failure },
    }
}

impl fmt::Display for LocalDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LocalDisk {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let ending = match options.mode {
            PutMode::Update(_) => return Err(not_offered("a put with PutMode::Update")),
            _ if !options.attributes.is_empty() => {
                return Err(not_offered("a put with attributes"));
            }
            PutMode::Create => Ending::Commit,
            PutMode::Overwrite => Ending::of(&options.extensions),
        };
        let path = self.files.path_to_filesystem(location)?;
        let pending = Arc::clone(&self.pending);
        blocking(move || put(&pending, &path, &payload, ending).map_err(|e| failed(&path, e)))
            .await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(not_offered("an upload with attributes"));
        }
        let path = self.files.path_to_filesystem(location)?;
        let ending = Ending::of(&options.extensions);
        let pending = Arc::clone(&self.pending);
        let upload =
            move || DiskUpload::begin(pending, path.clone(), ending).map_err(|e| failed(&path, e));
        Ok(Box::new(blocking(upload).await?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (files, pending) = (self.files.clone(), Arc::clone(&self.pending));
        let delete = move |location: Result<Path>| {
            let (files, pending) = (files.clone(), Arc::clone(&pending));
            blocking(move || {
                let location = location?;
                let path = files.path_to_filesystem(&location)?;
                let removed = pending.settle().and_then(|()| disk::remove(&path));
                removed.map_err(|e| failed(&path, e))?;
                pending.note_removal(&path);
                Ok(location)
            })
        };
        locations.map(delete).buffered(DELETED_AT_ONCE).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.noting_unsettled(self.files.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.noting_unsettled(self.files.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        match options.mode {
            CopyMode::Create => self.give_name(from, to, disk::link).await,
            CopyMode::Overwrite => self.give_name(from, to, writing::link_over).await,
        }
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        match options.target_mode {
            RenameTargetMode::Overwrite => self.give_name(from, to, writing::rename_over).await,
            RenameTargetMode::Create => {
                self.give_name(from, to, disk::link).await?;
                self.delete(from).await
            }
        }
    }
}

fn not_offered(operation: &str) -> object_store::Error {
    object_store::Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "the store of local disks".to_owned(),
    }
}

#[cfg(test)]
mod tests;
