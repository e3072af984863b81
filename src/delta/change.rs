//! A change of a table, and whether it may still be made.
//!
//! A change is planned from one version of the table and holds as long as what
//! it was planned from holds. [`standing`] compares the two:
//!
//! | planned from | the table now | standing |
//! |---|---|---|
//! | no table | no table | attempt version 0 |
//! | no table | a table | fenced |
//! | a version | the same version | attempt the next |
//! | a version | a later one, nothing that the change requires differs | attempt the next |
//! | a version | a later one, and something does differ | fenced |
//! | a version | an earlier one, or no table | the table is not what it was |
//!
//! What a change requires ([`Requires`]): the transactions that it builds on, so
//! that each key range is committed once; the files that it replaces; or, if it
//! says what all of the table is, that nothing at all was committed since.
//! Metadata and protocol must always be the same.

use std::collections::BTreeSet;

use chrono::Utc;
use deltalake_core::kernel::{Action, CommitInfo};
use serde_json::{Value, json};

use super::log::{State, Version};

/// The field of a commit's information that is pinclean's own.
pub const NOTE: &str = "pinclean";

/// A change of a table: all of it in one commit, or none.
#[derive(Debug, Clone)]
pub struct Change {
    /// What tells this commit from every other one: unique for each change.
    pub id: String,
    /// What it does, as `DESCRIBE HISTORY` shows it: `WRITE`, `OPTIMIZE`.
    pub operation: &'static str,
    /// Parameters of the operation, for readers.
    pub parameters: Value,
    /// What pinclean notes of it: an object.
    pub note: Value,
    /// The actions.
    pub actions: Vec<Action>,
    /// What must be as it was.
    pub requires: Requires,
}

/// What must be as it was when a change was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requires {
    /// Applications whose transactions must be the same.
    pub txns: BTreeSet<String>,
    /// Files, as paths in the log, that must still be of the table.
    pub files: BTreeSet<String>,
    /// Nothing may have been committed since.
    pub alone: bool,
}

/// Whether a change may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It may, as this version.
    Attempt(Version),
    /// It may not, as the table has moved on; it has to be planned again.
    Fenced(Version),
    /// The table is not what it was: a version is gone.
    Lost,
}

/// What pinclean said of a commit: its [`NOTE`].
pub fn note_of(entry: Vec<Action>) -> Option<Value> {
    entry.into_iter().find_map(|action| match action {
        Action::CommitInfo(mut info) => info.info.remove(NOTE),
        _ => None,
    })
}

/// Whether `change`, planned from `base`, may be made to `now`. `live` are the
/// files of `now`; they only matter if the change requires some and the version
/// is a later one.
pub fn standing(
    base: Option<&State>,
    now: Option<&State>,
    requires: &Requires,
    live: &BTreeSet<String>,
) -> Standing {
    let (base, now) = match (base, now) {
        (None, None) => return Standing::Attempt(0),
        (None, Some(now)) => return Standing::Fenced(now.version()),
        (Some(_), None) => return Standing::Lost,
        (Some(base), Some(now)) => (base, now),
    };
    let next = Standing::Attempt(now.version() + 1);
    match now.version().cmp(&base.version()) {
        std::cmp::Ordering::Equal => return next,
        std::cmp::Ordering::Less => return Standing::Lost,
        std::cmp::Ordering::Greater => {}
    }
    let same_txns = requires.txns.iter().all(|app| base.txns().get(app) == now.txns().get(app));
    let holds = !requires.alone
        && base.agrees_with(now)
        && same_txns
        && requires.files.iter().all(|file| live.contains(file));
    if holds { next } else { Standing::Fenced(now.version()) }
}

impl Change {
    /// The lines of the commit, its information first.
    ///
    /// # Errors
    /// If an action cannot be written as JSON.
    pub(super) fn lines(&self, base: Option<Version>) -> serde_json::Result<Vec<u8>> {
        let mut lines = serde_json::to_vec(&Action::CommitInfo(self.info(base)))?;
        for action in &self.actions {
            lines.push(b'\n');
            serde_json::to_writer(&mut lines, action)?;
        }
        Ok(lines)
    }

    fn info(&self, base: Option<Version>) -> CommitInfo {
        let removes = self.actions.iter().any(|action| matches!(action, Action::Remove(_)));
        let mut info = CommitInfo {
            timestamp: Some(Utc::now().timestamp_millis()),
            operation: Some(self.operation.to_owned()),
            read_version: base,
            is_blind_append: Some(!removes && !self.requires.alone),
            engine_info: Some(format!("pinclean/{}", env!("CARGO_PKG_VERSION"))),
            ..CommitInfo::default()
        };
        if let Value::Object(parameters) = &self.parameters {
            info.operation_parameters = Some(parameters.clone().into_iter().collect());
        }
        // Readers know this field as the unique id of a commit.
        info.info.insert("txnId".to_owned(), json!(self.id));
        info.info.insert("operationMetrics".to_owned(), self.metrics());
        info.info.insert(NOTE.to_owned(), self.note.clone());
        info
    }

    /// As Spark counts, and as text.
    fn metrics(&self) -> Value {
        let (mut added, mut bytes, mut removed) = (0_u64, 0_i64, 0_u64);
        for action in &self.actions {
            match action {
                Action::Add(add) => {
                    added += 1;
                    bytes += add.size;
                }
                Action::Remove(_) => removed += 1,
                _ => {}
            }
        }
        json!({
            "numFiles": added.to_string(),
            "numOutputBytes": bytes.to_string(),
            "numRemovedFiles": removed.to_string(),
        })
    }
}
