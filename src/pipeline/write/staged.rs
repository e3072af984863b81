//! Files that are complete and that nobody sees yet.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::JoinSet;

use super::DataFile;
use crate::Result;
use crate::failpoint::{self, Point};
use crate::store::{Output, sync_failed};

/// Files that are published at a time.
const PUBLISHED_AT_ONCE: usize = 16;

/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// A file that waits for the commit. On a disk it lies under a temporary name,
/// on S3 it is an upload that is not completed.
#[derive(Debug)]
pub struct Staged {
    /// The file, as it will be.
    pub file: DataFile,
    path: Path,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Held(PutPayload),
    Uploaded(Upload),
}

impl Staged {
    pub(super) fn held(path: Path, file: DataFile, bytes: PutPayload) -> Staged {
        Staged { file, path, body: Body::Held(bytes) }
    }

    pub(super) fn uploaded(path: Path, file: DataFile, upload: Upload) -> Staged {
        Staged { file, path, body: Body::Uploaded(upload) }
    }

    pub(super) async fn publish(self, output: &Output) -> Result<()> {
        failpoint::hit(Point::BeforeFile);
        let published = match self.body {
            Body::Held(bytes) => output.put_before_commit(&self.path, bytes).await,
            Body::Uploaded(upload) => upload.complete(output, &self.path, self.file.bytes).await,
        };
        published.map_err(|e| output.write_error(&self.path, e))?;
        failpoint::hit(Point::AfterFile);
        output.count_put(self.file.bytes);
        Ok(())
    }

    pub(super) async fn discard(self, output: &Output) {
        if let Body::Uploaded(upload) = self.body {
            upload.abort(output, &self.path).await;
        }
    }
}

/// Lets readers of the folders see the files of a run; they count once the
/// manifests are there. After a failure the rest is taken away.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write) or
/// [`Error::AccessDenied`](crate::Error::AccessDenied) naming the first file.
pub async fn publish(output: &Output, staged: Vec<Staged>) -> Result<()> {
    let failed = AtomicBool::new(false);
    let publish = async |staged: Staged| {
        if failed.load(Relaxed) {
            staged.discard(output).await;
            return Ok(());
        }
        staged.publish(output).await.inspect_err(|_| failed.store(true, Relaxed))
    };
    let published: Vec<Result<()>> =
        stream::iter(staged).map(publish).buffer_unordered(PUBLISHED_AT_ONCE).collect().await;
    published.into_iter().collect()
}

/// Takes files away that will not be committed.
pub async fn discard(output: &Output, staged: Vec<Staged>) {
    for staged in staged {
        staged.discard(output).await;
    }
}

/// An upload in parts.
#[derive(Debug)]
pub(super) struct Upload {
    inner: Box<dyn MultipartUpload>,
    parts: JoinSet<object_store::Result<()>>,
}

impl Upload {
    pub(super) fn new(inner: Box<dyn MultipartUpload>) -> Upload {
        Upload { inner, parts: JoinSet::new() }
    }

    /// Sends a part, once there is room for it.
    pub(super) async fn put(&mut self, part: PutPayload) -> object_store::Result<()> {
        while self.parts.len() >= PARTS_AT_ONCE {
            self.one_part().await?;
        }
        self.parts.spawn(self.inner.put_part(part));
        Ok(())
    }

    /// Waits until every part has arrived.
    pub(super) async fn settle(&mut self) -> object_store::Result<()> {
        while !self.parts.is_empty() {
            self.one_part().await?;
        }
        Ok(())
    }

    async fn one_part(&mut self) -> object_store::Result<()> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Ok(sent)) => sent,
            Some(Err(source)) => Err(object_store::Error::JoinError { source }),
        }
    }

    /// Ends the upload with a file of `bytes`. If the answer was lost, asking
    /// again fails, as the upload is no more: the file then shows what became of
    /// it. Files of one name hold the same rows.
    async fn complete(
        mut self,
        output: &Output,
        path: &Path,
        bytes: u64,
    ) -> object_store::Result<()> {
        let Err(error) = self.inner.complete().await else { return Ok(()) };
        let there = output.objects.head(path).await;
        if !sync_failed(&error) && there.is_ok_and(|there| there.size == bytes) {
            return Ok(());
        }
        self.abort(output, path).await;
        Err(error)
    }

    pub(super) async fn abort(mut self, output: &Output, path: &Path) {
        self.parts.shutdown().await;
        if let Err(error) = self.inner.abort().await {
            tracing::debug!(place = output.place(path), %error, "an upload stays open");
        }
    }
}
