//! Plain Parquet: a table's log is a folder of numbered manifests,
//!
//! ```text
//! <out>/<table>/_pinclean/0000000001.json, 0000000002.json, …
//! ```
//!
//! and the put of the next number, only if it is absent, is the commit. What is
//! committed is therefore known from the log alone: the greatest number holds
//! all watermarks. Reading it costs one listing of the folder (a request for
//! each 1,000 manifests) and one get.
//!
//! A put may fail and yet have been done (the acknowledgement was lost), so
//! after *any* error the number is read back and decides:
//!
//! | the number holds | meaning | result |
//! |---|---|---|
//! | our run's manifest | done, the answer was lost | committed |
//! | another run's manifest | that run was first | [`Error::Ahead`] |
//! | nothing | not done | put again, up to 3 times, then the error |
//! | what cannot be read | not known | put again, up to 3 times, then the error |
//!
//! Putting again is safe: the number can be taken only once. After the last
//! error nothing is undone; the next run reads the log and carries on.
//!
//! All of this rests on a store that honours put-if-absent (`If-None-Match: *`):
//! Amazon S3, MinIO and local disks do. A store that ignores the condition
//! would let two runs commit the same number.

use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};

use super::{Draft, Mode};
use crate::pipeline::write::Field;
use crate::store::{Output, sync_failed};
use crate::{Error, Result};

mod manifest;
mod snapshot;
mod sweep;

pub use manifest::{Live, Manifest, check_schema};
pub use snapshot::Snapshot;

/// How often a manifest is put before the commit is given up.
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt; it grows fourfold.
const PAUSE: Duration = Duration::from_millis(100);

/// The log of one table.
#[derive(Debug, Clone)]
pub struct ManifestLog {
    output: Output,
    table: String,
}

/// A manifest and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// Its number, from 1.
    pub number: u64,
    /// What it says.
    pub manifest: Manifest,
}

/// A manifest that was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Where it is.
    pub place: String,
    /// What the next run starts from.
    pub latest: Latest,
    /// Files of crashed attempts, or replaced by a full run, that were removed.
    pub removed: u64,
}

impl ManifestLog {
    /// The log of `table`, which need not exist.
    pub fn new(output: Output, table: &str) -> ManifestLog {
        ManifestLog { output, table: table.to_owned() }
    }

    /// The table's state: the manifest of the greatest number, `None` if the
    /// table has none.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] or [`Error::AccessDenied`]; [`Error::BadManifest`] if
    /// the manifest is damaged or of a newer version; [`Error::BadTable`] for a
    /// Delta table.
    pub async fn read_latest(&self) -> Result<Option<Latest>> {
        let folder = Path::from_iter([self.table.as_str(), "_pinclean"]);
        let listed: Result<Vec<_>, _> = self.output.objects.list(Some(&folder)).try_collect().await;
        let listed = match listed {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            listed => listed.map_err(|e| self.output.list_error(&folder, e))?,
        };
        let numbers = listed.iter().filter_map(|meta| number(&meta.location));
        let Some(number) = numbers.max() else {
            self.refuse_delta().await?;
            return Ok(None);
        };
        match self.read(number).await? {
            Some(manifest) => Ok(Some(Latest { number, manifest })),
            None => Err(self.bad(number, "it was listed and is gone")),
        }
    }

    /// A table of the other format would be written beside, not to.
    async fn refuse_delta(&self) -> Result<()> {
        let log = Path::from_iter([self.table.as_str(), "_delta_log"]);
        let mut listed = self.output.objects.list(Some(&log));
        match listed.try_next().await {
            Ok(None) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.output.list_error(&log, e)),
            Ok(Some(_)) => Err(Error::BadTable {
                place: self.output.place(&Path::from(self.table.as_str())),
                problem: "it is a table of --format delta; go on with --format delta, or write \
                          to another --out"
                    .to_owned(),
            }),
        }
    }

    /// Refuses to go on if the table's columns are not `schema`; see
    /// [`Error::SchemaChanged`]. For runs that add; a full run may change them.
    ///
    /// # Errors
    ///
    /// [`Error::SchemaChanged`] with the first difference.
    pub fn check_schema(&self, base: &Latest, schema: &[Field]) -> Result<()> {
        check_schema(&self.table, &base.manifest.schema, schema)
    }

    /// Commits a run that was planned from `base` and whose files are published,
    /// then removes the files in
    /// the committed key ranges that no manifest lists.
    ///
    /// # Errors
    ///
    /// [`Error::Ahead`] if another run took the number: nothing of this run
    /// counts. [`Error::SchemaChanged`] before anything is put. Otherwise
    /// [`Error::Write`], [`Error::AccessDenied`] or [`Error::BadManifest`].
    /// A failed removal is no error: the next commit tries again.
    pub async fn commit(&self, base: Option<&Latest>, draft: Draft) -> Result<Put> {
        if let (Some(base), Mode::Append) = (base, draft.mode) {
            self.check_schema(base, &draft.schema)?;
        }
        let number = base.map_or(0, |base| base.number) + 1;
        let manifest = Manifest::following(base.map(|base| &base.manifest), draft);
        if let Err(error) = self.put(number, &manifest).await {
            if let Error::Ahead { .. } = error {
                self.sweep_latest().await;
            }
            return Err(error);
        }
        let latest = Latest { number, manifest };
        let removed = self.sweep_or_warn(&latest).await;
        Ok(Put { place: self.place(number), latest, removed })
    }

    async fn put(&self, number: u64, manifest: &Manifest) -> Result<()> {
        let path = self.path(number);
        let text = serde_json::to_vec_pretty(manifest)
            .map_err(|e| Error::Internal { stage: "commit", message: e.to_string() })?;
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let put = self.output.objects.put_opts(&path, text.clone().into(), options).await;
            let Err(error) = put else {
                self.output.count_put(text.len() as u64);
                return Ok(());
            };
            // What is there may yet be lost when the power goes.
            if sync_failed(&error) {
                return Err(self.output.write_error(&path, error));
            }
            match self.read(number).await {
                Ok(Some(there)) if there.run_id == manifest.run_id => return Ok(()),
                Ok(Some(_)) => return Err(Error::Ahead { place: self.place(number) }),
                Err(bad @ Error::BadManifest { .. }) => return Err(bad),
                Ok(None) | Err(_) if attempt == ATTEMPTS => {
                    return Err(self.output.write_error(&path, error));
                }
                Ok(None) | Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause *= 4;
            attempt += 1;
        }
    }

    /// The manifest of a number, `None` if there is none.
    async fn read(&self, number: u64) -> Result<Option<Manifest>> {
        let path = self.path(number);
        let read = async { self.output.objects.get(&path).await?.bytes().await };
        let bytes = match read.await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            read => read.map_err(|e| self.output.read_error(&path, e))?,
        };
        Manifest::parse(&bytes).map(Some).map_err(|problem| self.bad(number, &problem))
    }

    fn path(&self, number: u64) -> Path {
        Path::from_iter([self.table.as_str(), "_pinclean", &format!("{number:010}.json")])
    }

    fn place(&self, number: u64) -> String {
        self.output.place(&self.path(number))
    }

    fn bad(&self, number: u64, problem: &str) -> Error {
        Error::BadManifest { place: self.place(number), problem: problem.to_owned() }
    }
}

/// A manifest's number, from its name; `None` for any other object.
fn number(path: &Path) -> Option<u64> {
    let name = path.filename()?;
    let number = name.strip_suffix(".json")?.parse().ok()?;
    (name == format!("{number:010}.json")).then_some(number)
}

#[cfg(test)]
mod tests;
