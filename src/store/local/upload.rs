//! A file that is written in parts.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use tokio::runtime::Handle;

use super::writing::{Ending, complete, stage};
use super::{blocking, failed};
use crate::disk::{PendingSyncs, StagedFile};

/// A staged file, until it is completed or aborted.
#[derive(Debug)]
pub(super) struct DiskUpload {
    pending: Arc<PendingSyncs>,
    path: PathBuf,
    ending: Ending,
    /// Shared with the parts that are being written.
    staged: Option<Arc<StagedFile>>,
    /// Where the next part begins.
    offset: u64,
}

impl DiskUpload {
    pub(super) fn begin(
        pending: Arc<PendingSyncs>,
        path: PathBuf,
        ending: Ending,
    ) -> io::Result<DiskUpload> {
        let staged = Some(Arc::new(stage(&pending, &path)?));
        Ok(DiskUpload { pending, path, ending, staged, offset: 0 })
    }

    fn take(&mut self) -> Result<Arc<StagedFile>> {
        let ended = || failed(&self.path, io::Error::other("the upload has ended"));
        self.staged.take().ok_or_else(ended)
    }
}

#[async_trait]
impl MultipartUpload for DiskUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let (staged, path) = (self.staged.clone(), self.path.clone());
        let begin = self.offset;
        self.offset += part.content_length() as u64;
        let write = move || {
            let ended = || io::Error::other("the upload has ended");
            let staged = staged.ok_or_else(ended)?;
            let mut offset = begin;
            for bytes in part.iter() {
                staged.write_at(offset, bytes)?;
                offset += bytes.len() as u64;
            }
            staged.begin_write_back(begin, offset - begin);
            Ok(())
        };
        blocking(move || write().map_err(|e| failed(&path, e))).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let staged = self.take()?;
        let busy = |_| failed(&self.path, io::Error::other("parts are still being written"));
        let staged = Arc::try_unwrap(staged).map_err(busy)?;
        let (pending, path, ending) = (Arc::clone(&self.pending), self.path.clone(), self.ending);
        let work = move || complete(&pending, staged, &path, ending).map_err(|e| failed(&path, e));
        blocking(work).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        let (staged, path) = (self.take()?, self.path.clone());
        blocking(move || staged.remove().map_err(|e| failed(&path, e))).await
    }
}

impl Drop for DiskUpload {
    fn drop(&mut self) {
        // A part may still be written; without a name the file is gone once it is closed.
        let Some(staged) = self.staged.take() else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || staged.remove())),
            Err(_) => _ = staged.remove(),
        }
    }
}
