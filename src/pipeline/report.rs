//! The run's report: what was read, written, quarantined, and from where.
//!
//! The JSON is meant to be read by programs: its keys are stable and in stable
//! order. [`Report::terminal`] is for people.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use chrono::{DateTime, SecondsFormat, Utc};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::Serialize;

use crate::disk::Durability;
use crate::store::Output;
use crate::store::RequestCounts;
use crate::{Error, Result, whole_file};

mod gate;
mod null_column;
mod table;
mod terminal;

pub use gate::{BrokenGate, EmptyTable, RejectExample};
pub use null_column::{AbsentField, NullCause, NullColumn, SeenValues};
pub use table::{Packed, PartitionReport, ShardCounts, TableReport, TopicReport};

/// What one run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The run; see [`run_id`].
    pub run_id: String,
    /// The version of pinclean.
    pub version: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The quality gates that it broke, over the tables that were committed.
    pub broken_gates: Vec<BrokenGate>,
    /// When it began, as RFC 3339 in UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// The source, as a URL or folder.
    pub source: String,
    /// The output, as a URL or folder.
    pub out: String,
    /// The hash of all transforms; see [`hash_all`](crate::spec::hash_all).
    pub spec_hash: String,
    /// Requests as sent, to the source and to the output.
    pub requests: RequestCounts,
    /// What became of each table.
    pub tables: BTreeMap<String, TableReport>,
    /// Topics that no transform is for: nothing of them was read.
    pub topics_without_transform: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every table with new records was committed.
    Committed,
    /// There was nothing new.
    NothingNew,
    /// Some tables were committed before the run failed: those with a commit.
    PartlyCommitted,
    /// Committed, and a quality gate was broken: see [`Report::broken_gates`].
    TooManyRejects,
}

impl Outcome {
    /// As in the JSON of reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Committed => "committed",
            Outcome::NothingNew => "nothing_new",
            Outcome::PartlyCommitted => "partly_committed",
            Outcome::TooManyRejects => "too_many_rejects",
        }
    }
}

impl Report {
    /// Where [`save`](Report::save) writes it.
    pub fn place(&self) -> String {
        place(&self.out, &self.run_id)
    }

    /// The report as JSON, with a line end.
    pub fn to_json(&self) -> Result<String> {
        to_json(self)
    }

    /// Writes the report to `<out>/_runs/<run id>.json`; returns its place.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] or [`Error::AccessDenied`].
    pub async fn save(&self, output: &Output) -> Result<String> {
        save(self, &self.run_id, output).await
    }

    /// Writes the report to a local file.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn save_file(&self, file: &std::path::Path, durability: Durability) -> Result<()> {
        save_file(self, file, durability)
    }

    /// Checks the balance of every table.
    ///
    /// # Errors
    ///
    /// The first table's that does not hold; see [`TableReport::balance`].
    pub fn balance(&self) -> Result<()> {
        self.tables.iter().try_for_each(|(name, table)| table.balance(name))
    }
}

fn to_json(report: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(report);
    json.map(|json| json + "\n")
        .map_err(|e| Error::Internal { stage: "report", message: e.to_string() })
}

/// Writes a report to `<out>/_runs/<run id>.json`; returns its place.
///
/// # Errors
///
/// [`Error::Write`] or [`Error::AccessDenied`].
pub async fn save(report: &impl Serialize, run_id: &str, output: &Output) -> Result<String> {
    let path = report_path(run_id);
    let put = output.objects.put(&path, to_json(report)?.into()).await;
    put.map_err(|e| output.write_error(&path, e))?;
    Ok(output.place(&path))
}

/// Writes a report to a local file, as [`whole_file::write`] does: a program may
/// wait for it, and a run beside this one write its own there.
///
/// # Errors
///
/// [`Error::Write`].
pub fn save_file(
    report: &impl Serialize,
    file: &std::path::Path,
    durability: Durability,
) -> Result<()> {
    let written = whole_file::write(file, to_json(report)?.as_bytes(), durability);
    written.map_err(|e| Error::Write { place: file.display().to_string(), source: e.into() })
}

/// Where the report of a run is, below the place of its tables.
pub fn place(out: &str, run_id: &str) -> String {
    format!("{}/{}", out.trim_end_matches('/'), report_path(run_id))
}

fn report_path(run_id: &str) -> Path {
    Path::from_iter(["_runs", &format!("{run_id}.json")])
}

/// A new run's id: `20240131T235959Z-` and 8 random hex digits. Ids sort by time.
pub fn run_id(now: DateTime<Utc>) -> String {
    // The standard library seeds its hash maps from the system's randomness.
    let random = RandomState::new().build_hasher().finish() as u32;
    format!("{}-{random:08x}", now.format("%Y%m%dT%H%M%SZ"))
}

/// A time as reports and manifests spell it: RFC 3339 in UTC, whole seconds.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests;
