//! Many files, written anew a few at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;

use super::{Rewrite, Source, internal};
use crate::Result;
use crate::delta::{LiveFile, Log};
use crate::pipeline::write::{DataFile, publish};
use crate::signals::Stop;

/// Files that are deleted at a time.
const DELETED_AT_ONCE: usize = 16;

/// How groups of files are written anew.
#[derive(Debug, Clone, Copy)]
pub struct Many<'a> {
    /// What the names of the new files begin with: unique for each change.
    pub name: &'a str,
    /// Threads that work, at least 1.
    pub workers: usize,
    /// Ends the work between two groups.
    pub stop: &'a Stop,
}

impl Rewrite<'_> {
    /// Writes each group of files anew, all rows of it, and publishes the new
    /// files: they may wait for long, and no log lists them. The files of a group
    /// have the same partition values.
    ///
    /// # Errors
    /// Those of [`run`](Self::run) and [`publish`], and
    /// [`Error::Stopped`](crate::Error::Stopped). The new files are taken away.
    pub fn publish_all(&self, groups: &[Vec<LiveFile>], many: Many<'_>) -> Result<Vec<DataFile>> {
        let work = Work { groups, many, next: AtomicUsize::new(0), files: Mutex::default() };
        let worked = thread::scope(|scope| {
            let workers = many.workers.clamp(1, groups.len().max(1));
            let spawn = |_| thread::Builder::new().spawn_scoped(scope, || self.work(&work));
            let threads: Vec<_> = (0..workers).map(spawn).collect();
            let mut results = threads.into_iter().map(|thread| {
                let joined = thread.map_err(internal)?.join();
                joined.unwrap_or_else(|_| Err(internal("a thread panicked")))
            });
            // All of them are waited for.
            results.by_ref().fold(Ok(()), Result::and)
        });
        let files = work.files.into_inner().unwrap_or_else(PoisonError::into_inner);
        let files: Vec<DataFile> = files.into_values().flatten().collect();
        if let Err(error) = worked {
            self.sink.runtime.block_on(take_away(self.log, &files));
            return Err(error);
        }
        Ok(files)
    }

    fn work(&self, work: &Work<'_>) -> Result<()> {
        let worked = self.groups(work);
        if worked.is_err() {
            work.next.store(work.groups.len(), Relaxed);
        }
        worked
    }

    fn groups(&self, work: &Work<'_>) -> Result<()> {
        loop {
            let number = work.next.fetch_add(1, Relaxed);
            let Some(group) = work.groups.get(number) else { return Ok(()) };
            work.many.stop.check()?;
            let sources: Vec<Source> =
                group.iter().map(|file| Source { file: file.clone(), keep: None }).collect();
            let staged = self.run(&sources, &format!("{}-{number:05}", work.many.name))?;
            let files = staged.iter().map(|staged| staged.file.clone()).collect();
            // Noted before: some may be there if publishing fails.
            work.files.lock().unwrap_or_else(PoisonError::into_inner).insert(number, files);
            self.sink.runtime.block_on(publish(&self.sink.output, staged))?;
        }
    }
}

struct Work<'a> {
    groups: &'a [Vec<LiveFile>],
    many: Many<'a>,
    /// The group that comes next.
    next: AtomicUsize,
    /// The new files of each group.
    files: Mutex<BTreeMap<usize, Vec<DataFile>>>,
}

/// Deletes files that no log lists. Those that stay cost space until they are
/// vacuumed.
pub async fn take_away(log: &Log, files: &[DataFile]) {
    take_away_paths(log, files.iter().map(|file| file.path.as_str())).await;
}

/// As [`take_away`], of files that are no data: as paths below the table's folder.
pub async fn take_away_paths(log: &Log, files: impl IntoIterator<Item = &str>) {
    let delete = async |file: &str| {
        let path = log.file_path(file);
        match log.output().objects.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => tracing::debug!(%path, %error, "a file that no log lists stays"),
        }
    };
    stream::iter(files).map(delete).buffer_unordered(DELETED_AT_ONCE).collect::<()>().await;
}
