//! Committing: all files and watermarks of a table's run in one atomic step.
//!
//! What is committed is known from the table's own log alone, in either format:
//! a Delta log ([`DeltaTable`]), or a folder of manifests ([`ManifestLog`]). Both
//! read what is there, refuse what does not fit, and take a [`Draft`] to the
//! next version once, whatever fails on the way.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::delta::State;
use crate::pipeline::discover::Watermarks;
use crate::pipeline::write::{DataFile, Field, fields};
use crate::settings::Format;
use crate::spec::Spec;
use crate::store::Output;

mod delta;
mod manifests;

pub use self::delta::{DeltaTable, Holds, Landed, PendingRejects, RejectIds, TableLogs, same_rows};
pub use manifests::{Latest, Live, Manifest, ManifestLog, Put, Snapshot};

/// The log of one table.
#[derive(Debug, Clone)]
pub enum TableLog {
    /// Numbered manifests beside plain Parquet.
    Manifests(Box<ManifestLog>),
    /// A Delta log.
    Delta(Box<DeltaTable>),
}

/// What a table says when a run begins.
#[derive(Debug, Clone)]
pub struct Base {
    /// The number of the manifest, or the version of the table.
    pub version: u64,
    /// How far each source is committed.
    pub watermarks: Watermarks,
    /// Where the objects were, as a URL or folder.
    pub source: String,
    /// The hash of the transform that cleaned the latest rows.
    pub spec_hash: String,
    log: BaseLog,
}

#[derive(Debug, Clone)]
enum BaseLog {
    Manifest(Box<Latest>),
    Delta(State),
}

/// A commit that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Where the commit is.
    pub place: String,
    /// Its number, or the table's version.
    pub version: u64,
    /// Files of crashed attempts, or replaced by a full run, that were removed.
    pub removed: u64,
    /// Files of rows that it added.
    pub files: Vec<DataFile>,
    /// Rows, of the run or of the table, that a later one of their key replaced.
    pub replaced: u64,
}

/// How a run's files relate to those that were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are added.
    Append,
    /// They replace all: the table is what this manifest lists.
    Full,
}

/// What became of the records of one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Read.
    pub read: u64,
    /// Written to the table.
    pub written: u64,
    /// Written to the quarantine.
    pub quarantined: u64,
    /// Certain duplicates, dropped.
    pub duplicate: u64,
}

/// What a run has to commit.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The run; unique.
    pub run_id: String,
    /// Now, as RFC 3339 in UTC.
    pub committed_at: String,
    /// Where the objects are, as a URL or folder.
    pub source: String,
    /// The transform's hash.
    pub spec_hash: String,
    /// The table's columns.
    pub schema: Vec<Field>,
    /// Whether the run adds or replaces.
    pub mode: Mode,
    /// How far the run got, for the sources that it read.
    pub reached: Watermarks,
    /// Files of rows.
    pub files: Vec<DataFile>,
    /// Files of rejects.
    pub rejects: Vec<DataFile>,
    /// The open rejects whose records these rows are: a file of their ids below
    /// the quarantine's folder. Only Delta tables can say so.
    pub resolved: Option<String>,
    /// What became of the records.
    pub counts: Counts,
}

impl TableLog {
    /// The log of a spec's table below the output; it need not exist.
    ///
    /// # Errors
    /// [`crate::Error::Internal`]
    pub fn new(format: Format, output: Output, spec: &Spec) -> Result<TableLog> {
        Ok(match format {
            Format::Parquet => TableLog::Manifests(Box::new(ManifestLog::new(output, &spec.table))),
            Format::Delta => TableLog::Delta(Box::new(DeltaTable::new(&output, spec)?)),
        })
    }

    /// The table as it is; nothing if there is none.
    ///
    /// # Errors
    /// What reading failed with; [`crate::Error::BadManifest`],
    /// [`crate::Error::BadTable`] or [`crate::Error::TableFeatures`] for what is
    /// none of ours.
    pub async fn read(&self) -> Result<Option<Base>> {
        match self {
            TableLog::Manifests(log) => Ok(log.read_latest().await?.map(Base::from_manifest)),
            TableLog::Delta(table) => Ok(table.read().await?.map(|state| Base {
                version: state.version(),
                watermarks: table.watermarks(&state),
                source: delta::property(&state, crate::delta::Property::Source),
                spec_hash: delta::property(&state, crate::delta::Property::SpecHash),
                log: BaseLog::Delta(state),
            })),
        }
    }

    /// Refuses to add to a table whose columns do not fit those of the spec,
    /// before any work is done.
    ///
    /// # Errors
    /// [`crate::Error::SchemaChanged`] with the first difference.
    pub fn check(&self, base: &Base, spec: &Spec) -> Result<()> {
        match (self, &base.log) {
            (TableLog::Manifests(log), BaseLog::Manifest(latest)) => {
                log.check_schema(latest, &fields(spec))
            }
            (TableLog::Delta(table), BaseLog::Delta(state)) => table.check(state).map(drop),
            _ => Ok(()),
        }
    }

    /// Refuses to write rejects to what is no quarantine, before anything is
    /// published.
    ///
    /// # Errors
    /// [`crate::Error::BadTable`], and those of reading.
    pub async fn check_quarantine(&self) -> Result<()> {
        match self {
            TableLog::Manifests(_) => Ok(()),
            TableLog::Delta(table) => table.logs().quarantine().await.map(drop),
        }
    }

    /// Removes files that were published and will not be committed, as the run
    /// failed. What plain Parquet leaves there is swept by a later commit.
    pub async fn abandon(&self, files: &[DataFile], rejects: &[DataFile]) {
        if let TableLog::Delta(table) = self {
            table.abandon(files, rejects).await;
        }
    }

    /// Commits a run that was planned from `base` and whose files are published.
    ///
    /// # Errors
    /// [`crate::Error::Ahead`] if another run was first: nothing of this run
    /// counts. Otherwise what writing or reading failed with.
    pub async fn commit(&self, base: Option<&Base>, draft: Draft) -> Result<Committed> {
        match self {
            TableLog::Manifests(log) => {
                let base = base.and_then(|base| match &base.log {
                    BaseLog::Manifest(latest) => Some(&**latest),
                    BaseLog::Delta(_) => None,
                });
                let files = draft.files.clone();
                let Put { place, latest, removed } = log.commit(base, draft).await?;
                Ok(Committed { place, version: latest.number, removed, files, replaced: 0 })
            }
            TableLog::Delta(table) => {
                let base = base.and_then(|base| match &base.log {
                    BaseLog::Delta(state) => Some(state),
                    BaseLog::Manifest(_) => None,
                });
                let Landed { version, files, replaced } = table.commit(base, draft).await?;
                let place = table.place(version);
                Ok(Committed { place, version, removed: 0, files, replaced })
            }
        }
    }
}

impl Base {
    fn from_manifest(latest: Latest) -> Base {
        let manifest = &latest.manifest;
        Base {
            version: latest.number,
            watermarks: manifest.watermarks.clone(),
            source: manifest.source.clone(),
            spec_hash: manifest.spec_hash.clone(),
            log: BaseLog::Manifest(Box::new(latest)),
        }
    }
}
