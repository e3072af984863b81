//! A table of plain Parquet as one of its manifests says that it is.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Latest, ManifestLog};
use crate::pipeline::commit::Mode;
use crate::pipeline::write::{DataFile, Field};
use crate::{Error, Result};

/// Manifests that are read at a time.
const AT_ONCE: usize = 16;

/// A table's columns and files, after one of its commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the manifest.
    pub number: u64,
    /// The columns.
    pub schema: Vec<Field>,
    /// Files of rows, those that were committed first at the start.
    pub files: Vec<DataFile>,
    /// Files of rejects, likewise.
    pub rejects: Vec<DataFile>,
}

impl ManifestLog {
    /// The files that a table had after a commit: those of all manifests since
    /// the last one that began anew.
    ///
    /// # Errors
    /// As [`read_latest`](Self::read_latest); [`Error::BadManifest`] if one is gone.
    pub async fn snapshot(&self, at: Latest) -> Result<Snapshot> {
        let Latest { number, manifest } = at;
        let schema = manifest.schema.clone();
        let mut anew = manifest.mode == Mode::Full;
        let mut newest_first = vec![manifest];
        let read = async |number| self.read(number).await?.ok_or_else(|| self.gone(number));
        let mut earlier = stream::iter((1..number).rev()).map(read).buffered(AT_ONCE);
        while !anew && let Some(manifest) = earlier.try_next().await? {
            anew = manifest.mode == Mode::Full;
            newest_first.push(manifest);
        }
        let (mut files, mut rejects) = (Vec::new(), Vec::new());
        for manifest in newest_first.into_iter().rev() {
            files.extend(manifest.files);
            rejects.extend(manifest.rejects);
        }
        Ok(Snapshot { number, schema, files, rejects })
    }

    /// The manifest of a number, which is there.
    ///
    /// # Errors
    /// As [`read_latest`](Self::read_latest); [`Error::BadManifest`] if it is gone.
    pub async fn read_at(&self, number: u64) -> Result<Latest> {
        let manifest = self.read(number).await?.ok_or_else(|| self.gone(number))?;
        Ok(Latest { number, manifest })
    }

    /// The latest manifest that was committed at a time or before; or, as the
    /// error, when the first one was.
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at); [`Error::BadManifest`] for a time that is none.
    pub async fn read_at_time(
        &self,
        latest: Latest,
        time: DateTime<Utc>,
    ) -> Result<Result<Latest, DateTime<Utc>>> {
        let numbers = stream::iter((1..latest.number).rev());
        let earlier = numbers.map(|number| self.read_at(number)).buffered(AT_ONCE);
        let mut manifests = Box::pin(stream::iter([Ok(latest)]).chain(earlier));
        let mut first = time;
        while let Some(at) = manifests.try_next().await? {
            let committed = DateTime::parse_from_rfc3339(&at.manifest.committed_at);
            first = committed.map_err(|e| self.bad(at.number, &e.to_string()))?.to_utc();
            if first <= time {
                return Ok(Ok(at));
            }
        }
        Ok(Err(first))
    }

    fn gone(&self, number: u64) -> Error {
        self.bad(number, "it is gone, and what the table holds cannot be known without it")
    }
}
