//! Delta: one commit holds the files and the watermarks of a run.
//!
//! The watermarks are transactions of the log ([`txns`]). A commit requires that
//! those which it goes on from are still the same, so that each key range lands
//! once; [`crate::delta`] does the rest.
//!
//! The rejects go to a table of their own, `_quarantine/<table>`, and two tables
//! cannot change in one step. So the commit of the rows says which files of
//! rejects belong to it, in its note, and counts that up in a transaction
//! ([`rejects`]). The quarantine takes them over afterwards; if a crash comes
//! between, the next run does it before anything else. What the quarantine has
//! taken over is counted in its own log: nothing is taken twice.
//!
//! A column that was added changes what the log says of the table. One whose type
//! only widens also needs every file that is there written anew ([`widen`]); the
//! commit of the run puts these in the place of the old ones. Both come with a
//! commit: a run that finds nothing new leaves the table as it is.
//!
//! A replay commits rows that were rejects. Its commit says in the same way which
//! ones, and the quarantine then marks them ([`resolved`]). As it counts as a
//! commit with rejects, no two of them can build on the same quarantine.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Value, json};

use self::outcome::Outcome;
use self::unique::OnePerKey;
use super::{Draft, Mode};
use crate::delta::{
    Action, Add, Change, Description, Evolution, LiveFile, Log, Property, Requires, State, Version,
    begin, evolve, struct_type,
};
use crate::failpoint::{self, Point};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::write::{DataFile, table_schema};
use crate::rewrite::take_away;
use crate::spec::Spec;
use crate::store::Output;
use crate::{Error, Result};

mod ids;
mod logs;
mod rejects;
mod resolved;
mod txns;
mod outcome;
mod unique;
mod widen;

pub use ids::RejectIds;
pub use logs::{Holds, TableLogs};
pub use rejects::PendingRejects;

/// A table of rows and its quarantine.
#[derive(Debug, Clone)]
pub struct DeltaTable {
    logs: TableLogs,
    about: About,
    one_per_key: Option<OnePerKey>,
}

/// A run that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The table's version.
    pub version: Version,
    /// Files of rows that the commit added.
    pub files: Vec<DataFile>,
    /// Rows, of the run or of the table, that a later one of their key replaced.
    pub replaced: u64,
}

/// What the transform says that the table is.
#[derive(Debug, Clone)]
struct About {
    description: String,
    schema: delta_kernel::schema::StructType,
    partition_by: Vec<String>,
    /// As the table's property says it; empty for none.
    unique_by: String,
    spec_hash: String,
}

/// A table's property, empty if it has none.
pub(super) fn property(state: &State, property: Property) -> String {
    state.property(property.key()).unwrap_or_default().to_owned()
}

impl DeltaTable {
    /// The table of a spec below the output; it need not exist.
    ///
    /// # Errors
    /// [`Error::Internal`]
    pub fn new(output: &Output, spec: &Spec) -> Result<DeltaTable> {
        let comments: BTreeMap<&str, &str> =
            spec.columns.iter().map(|c| (c.name.as_str(), c.comment.as_str())).collect();
        let columns = table_schema(spec);
        let schema = struct_type(&columns, &comments).map_err(internal)?;
        Ok(DeltaTable {
            logs: TableLogs::new(output, &spec.table),
            about: About {
                description: spec.description.clone(),
                schema,
                partition_by: spec.partition_by.clone(),
                unique_by: spec.unique_by.join(","),
                spec_hash: spec.hash.clone(),
            },
            one_per_key: OnePerKey::of(spec, &columns)?,
        })
    }

    /// The table as it is, its quarantine brought up to date; nothing if there
    /// is none.
    ///
    /// # Errors
    /// What reading failed with; [`Error::BadTable`] for a table that pinclean
    /// did not make, [`Error::TableFeatures`] for one that it cannot write.
    pub async fn read(&self) -> Result<Option<State>> {
        let problem = match self.logs.look().await? {
            Holds::Table(state) => {
                self.logs.settle(&state).await?;
                return Ok(Some(state));
            }
            Holds::Nothing => return Ok(None),
            Holds::Stranger(problem) => format!("{problem}; write to another --out"),
            // A table of the other format would be written beside, not to.
            Holds::Manifests => "it is a table of --format parquet; go on with --format parquet, \
                                 or write to another --out"
                .to_owned(),
        };
        Err(Error::BadTable { place: self.logs.rows.place(), problem })
    }

    /// Its logs.
    pub fn logs(&self) -> &TableLogs {
        &self.logs
    }

    /// How far each source is committed.
    pub fn watermarks(&self, state: &State) -> Watermarks {
        self.logs.watermarks(state)
    }

    /// The log of the quarantine, which there is only once a record was rejected.
    pub fn quarantine(&self) -> &Log {
        &self.logs.rejects
    }

    /// How the table's columns become those of the transform.
    ///
    /// # Errors
    /// [`Error::SchemaChanged`] if they cannot without a loss.
    pub fn check(&self, state: &State) -> Result<Evolution> {
        let changed =
            |difference| Error::SchemaChanged { table: self.logs.table.clone(), difference };
        let (there, wanted) = (state.partition_columns(), &self.about.partition_by);
        if there != wanted {
            let show = |columns: &[String]| match columns {
                [] => "not partitioned".to_owned(),
                columns => format!("partitioned by {}", columns.join(", ")),
            };
            let difference =
                format!("the table is {}, the transform {}", show(there), show(wanted));
            return Err(changed(difference));
        }
        let (there, wanted) = (property(state, Property::UniqueBy), &self.about.unique_by);
        if there != *wanted {
            let show = |key: &str| match key {
                "" => "every row".to_owned(),
                key => format!("one row for each {}", key.replace(',', ", ")),
            };
            let difference =
                format!("the table has {}, the transform {}", show(&there), show(wanted));
            return Err(changed(difference));
        }
        Evolution::of(&state.schema(), &self.about.schema).map_err(changed)
    }

    /// Where the commit of a version is, for messages.
    pub fn place(&self, version: Version) -> String {
        let rows = &self.logs.rows;
        rows.output().place(&rows.entry_path(version))
    }

    /// Commits a run that was planned from `base`, and brings the quarantine up
    /// to date.
    ///
    /// # Errors
    /// Those of [`Log::commit`], and of reading and writing files if the table
    /// has one row for each key. What the quarantine fails with is no error: the
    /// rejects are committed with the rows, and the next run takes them over.
    /// [`Error::SchemaChanged`], and those of [`Rewrite::run`](crate::rewrite::Rewrite::run)
    /// if types widen, come before it: nothing was changed.
    pub async fn commit(&self, base: Option<&State>, draft: Draft) -> Result<Landed> {
        let outcome = self.outcome(base, &draft).await?;
        let change = self.change(base, &draft, &outcome).await?;
        let version = match self.logs.rows.commit(base, &change).await {
            Err(error @ Error::Ahead { .. }) => {
                self.take_away(&draft, &outcome).await;
                return Err(error);
            }
            committed => committed?,
        };
        failpoint::hit(Point::BeforeSettle);
        take_away(&self.logs.rows, &outcome.unlisted).await;
        let after = async {
            if let Some(state) = self.logs.rows.read().await? {
                self.logs.settle(&state).await?;
            }
            self.logs.rows.maintain(version).await
        };
        if let Err(error) = after.await {
            tracing::warn!(
                table = self.logs.table,
                error = &error as &dyn std::error::Error,
                "the run is committed; what is left to do after a commit is left to the next run"
            );
        }
        Ok(Landed { version, files: outcome.files, replaced: outcome.replaced })
    }

    /// Removes files that were published and will not be committed.
    pub async fn abandon(&self, files: &[DataFile], rejects: &[DataFile]) {
        take_away(&self.logs.rows, files).await;
        take_away(&self.logs.rejects, rejects).await;
    }

    async fn change(
        &self,
        base: Option<&State>,
        draft: &Draft,
        outcome: &Outcome,
    ) -> Result<Change> {
        let mut actions = self.describe(base, draft)?;
        if let (Some(state), Mode::Full) = (base, draft.mode) {
            let files = self.logs.rows.files(state).await?;
            actions.extend(files.iter().map(|file| file.remove(true).into()));
            let before = self.watermarks(state);
            let gone = before.keys().filter(|source| !draft.reached.contains_key(source));
            actions.extend(txns::forgotten(&self.logs.table, gone).into_iter().map(Action::Txn));
        }
        actions.extend(outcome.actions());
        actions.extend(
            txns::transactions(&self.logs.table, &draft.reached).into_iter().map(Action::Txn),
        );
        let mut note = note(draft);
        if self.one_per_key.is_some() {
            note["counts"]["replaced"] = outcome.replaced.into();
        }
        let mut fence = txns::fence(&self.logs.table, draft.reached.keys());
        if let Some(owed) = self.logs.owe(base, draft) {
            fence.insert(owed.txn.app_id.clone());
            actions.push(Action::Txn(owed.txn));
            note["rejects"] = owed.note;
        }
        let overwrites = draft.mode == Mode::Full;
        let mut parameters = json!({
            "mode": if overwrites { "Overwrite" } else { "Append" },
            "partitionBy": Value::from(self.about.partition_by.clone()).to_string(),
        });
        if self.one_per_key.is_some() {
            parameters["uniqueBy"] = self.about.unique_by.clone().into();
        }
        let files = outcome.widened.old.iter().map(|file| file.path.clone()).collect();
        // What another run added meanwhile may hold a key of this one, or be of
        // the narrow type.
        let keyed = self.one_per_key.is_some() && !draft.files.is_empty();
        let alone = overwrites || keyed || outcome.widened.any;
        Ok(Change {
            id: draft.run_id.clone(),
            operation: match draft.resolved {
                Some(_) => "REPLAY",
                None if outcome.merges() => "MERGE",
                None => "WRITE",
            },
            parameters,
            note,
            actions,
            requires: Requires { txns: fence, files, alone },
        })
    }

    /// The actions that say what the table is, where it does not say so yet.
    fn describe(&self, base: Option<&State>, draft: &Draft) -> Result<Vec<Action>> {
        let description = Description {
            name: &self.logs.table,
            text: &self.about.description,
            schema: &self.about.schema,
            partition_by: &self.about.partition_by,
            properties: vec![
                (Property::Table, self.logs.table.clone()),
                (Property::SpecHash, self.about.spec_hash.clone()),
                (Property::Source, draft.source.clone()),
                (Property::UniqueBy, self.about.unique_by.clone()),
            ],
        };
        match base {
            None => begin(&description, &table_id(&draft.run_id, &self.logs.table)),
            Some(state) => Ok(evolve(state, &description)?.into_iter().collect()),
        }
    }
}

/// A file as the log lists it.
fn add(file: &DataFile) -> Add {
    Add {
        path: file.path.clone(),
        partition_values: file.partition.iter().cloned().collect(),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: Utc::now().timestamp_millis(),
        data_change: true,
        stats: (!file.stats.is_empty()).then(|| file.stats.clone()),
        ..Add::default()
    }
}

/// The actions that put files in the place of others that hold the same rows.
pub fn same_rows(old: &[LiveFile], new: &[DataFile]) -> Vec<Action> {
    let removes = old.iter().map(|file| file.remove(false).into());
    let adds = new.iter().map(|file| Add { data_change: false, ..add(file) }.into());
    removes.chain(adds).collect()
}

/// What the history shows of a run.
fn note(draft: &Draft) -> Value {
    json!({
        "runId": draft.run_id,
        "mode": draft.mode,
        "source": draft.source,
        "specHash": draft.spec_hash,
        "counts": draft.counts,
    })
}

/// A UUID that a run gives to a table, by its name (version 8: of our own make).
fn table_id(run_id: &str, table: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(format!("{run_id}/{table}"));
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "commit", message: e.to_string() }
}

#[cfg(test)]
mod tests;
