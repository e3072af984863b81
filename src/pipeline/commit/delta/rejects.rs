//! The quarantine follows the table of rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::resolved::{self, Resolved, Rewritten};
use super::{TableLogs, add, internal, table_id, txns};
use crate::delta::{
    Action, Add, Change, Description, Property, Requires, State, Transaction, Version, begin,
    evolve, note_of, struct_type,
};
use crate::pipeline::commit::{Draft, Mode};
use crate::pipeline::write::quarantine_schema;
use crate::{Error, Result};

/// How often others may change the quarantine in the meantime.
const OVERTAKEN: usize = 8;

/// What a commit of rows owes to the quarantine.
pub(super) struct Owed {
    pub(super) txn: Transaction,
    pub(super) note: serde_json::Value,
}

/// What the note of a commit says of its rejects.
#[derive(Debug, Serialize, Deserialize)]
struct Rejects {
    /// The commits with rejects so far, this one included.
    number: i64,
    /// Whether these replace all that are there.
    replace: bool,
    /// The files.
    files: Vec<Add>,
    /// The open rejects that this commit lands as rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved: Option<Resolved>,
}

/// What a quarantine has not taken over yet of the rejects of a version of its table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PendingRejects {
    /// Whether these replace all that are there.
    pub replace: bool,
    /// Their files.
    pub files: Vec<Add>,
    /// The replays whose rejects are still marked as open.
    pub replays: Vec<String>,
}

/// What the quarantine is to take over next.
struct Next {
    /// The identity of the table of rows.
    rows: String,
    rejects: Rejects,
}

impl TableLogs {
    /// What a run's commit will owe; nothing if the quarantine stays as it is.
    pub(super) fn owe(&self, base: Option<&State>, draft: &Draft) -> Option<Owed> {
        let before = base.map_or(0, |state| self.owed(state));
        let replace = draft.mode == Mode::Full && before > 0;
        if draft.rejects.is_empty() && draft.resolved.is_none() && !replace {
            return None;
        }
        let files = draft.rejects.iter().map(add).collect();
        let resolved = draft.resolved.as_ref().map(|file| Resolved {
            file: file.clone(),
            run_id: draft.run_id.clone(),
            at: draft.committed_at.clone(),
        });
        let rejects = Rejects { number: before + 1, replace, files, resolved };
        Some(Owed {
            txn: Transaction::new(txns::rejects_app(&self.table), rejects.number),
            note: serde_json::to_value(rejects).unwrap_or_default(),
        })
    }

    /// The commits with rejects that a table's log counts.
    fn owed(&self, state: &State) -> i64 {
        state.txns().get(&txns::rejects_app(&self.table)).copied().unwrap_or(0)
    }

    /// Those of them that the quarantine has taken over.
    fn settled(&self, rows: &State, there: Option<&State>) -> i64 {
        let app = txns::settled_app(&self.table, rows.id());
        there.and_then(|state| state.txns().get(&app)).copied().unwrap_or(0)
    }

    /// The quarantine as it is; nothing if there is none.
    ///
    /// # Errors
    /// Those of [`Log::read`](crate::delta::Log::read); [`Error::BadTable`] for a
    /// table that is none of ours.
    pub async fn quarantine(&self) -> Result<Option<State>> {
        let there = self.rejects.read().await?;
        let name = there.as_ref().map(|state| state.property(Property::Table.key()));
        match name {
            Some(name) if name != Some(&self.quarantine_name()) => Err(Error::BadTable {
                place: self.rejects.place(),
                problem: "it is to be the quarantine of a table, and pinclean did not make it; \
                          write to another --out"
                    .to_owned(),
            }),
            _ => Ok(there),
        }
    }

    fn quarantine_name(&self) -> String {
        format!("_quarantine/{}", self.table)
    }

    /// Lets the quarantine take over the rejects that belong to the rows and that
    /// it has not taken over yet.
    ///
    /// # Errors
    /// Those of [`Log::read`](crate::delta::Log::read) and
    /// [`Log::commit`](crate::delta::Log::commit).
    pub async fn settle(&self, rows: &State) -> Result<()> {
        let owed = self.owed(rows);
        if owed == 0 {
            return Ok(());
        }
        let mut overtaken = 0;
        loop {
            let there = self.quarantine().await?;
            let settled = self.settled(rows, there.as_ref());
            if settled >= owed {
                return Ok(());
            }
            let next = self.rejects_of(rows, settled + 1).await?;
            match self.take_over(there.as_ref(), next).await {
                Ok(()) if settled + 1 == owed => return Ok(()),
                Err(Error::Ahead { .. }) if overtaken < OVERTAKEN => overtaken += 1,
                result => result?,
            }
        }
    }

    /// The files that [`settle`](Self::settle) would let the quarantine take over,
    /// as paths below its folder.
    ///
    /// # Errors
    /// Those of [`Log::read`](crate::delta::Log::read).
    pub async fn unsettled(&self, rows: &State) -> Result<BTreeSet<String>> {
        let settled = self.settled(rows, self.quarantine().await?.as_ref());
        let mut files = BTreeSet::new();
        for number in settled + 1..=self.owed(rows) {
            let next = self.rejects_of(rows, number).await?;
            files.extend(next.rejects.files.into_iter().map(|file| file.path));
        }
        Ok(files)
    }

    /// What [`settle`](Self::settle) would do to a version of the quarantine, for
    /// one who only reads.
    ///
    /// # Errors
    /// Those of [`Log::entry`](crate::delta::Log::entry); [`Error::BadTable`] if the
    /// log no longer says which rejects it owes.
    pub async fn pending(&self, rows: &State, there: Option<&State>) -> Result<PendingRejects> {
        let mut pending = PendingRejects::default();
        for number in self.settled(rows, there) + 1..=self.owed(rows) {
            let Rejects { replace, files, resolved, .. } =
                self.rejects_of(rows, number).await?.rejects;
            if replace {
                pending = PendingRejects { replace, ..PendingRejects::default() };
            }
            pending.files.extend(files);
            pending.replays.extend(resolved.map(|resolved| resolved.run_id));
        }
        Ok(pending)
    }

    /// The rejects of the commit with a number: it is among the latest.
    async fn rejects_of(&self, rows: &State, number: i64) -> Result<Next> {
        for version in (0..=rows.version()).rev() {
            let Some(entry) = self.rows.entry(version).await? else { break };
            let Some(rejects) = note_of(entry)
                .and_then(|mut note| note.get_mut("rejects").map(serde_json::Value::take))
            else {
                continue;
            };
            let rejects: Rejects = Deserialize::deserialize(rejects).map_err(internal)?;
            if rejects.number == number {
                return Ok(Next { rows: rows.id().to_owned(), rejects });
            }
        }
        Err(Error::BadTable {
            place: self.rows.place(),
            problem: format!(
                "its log owes rejects to the quarantine ({number}) and no longer says which"
            ),
        })
    }

    async fn take_over(&self, there: Option<&State>, next: Next) -> Result<()> {
        let rewritten = match (&next.rejects.resolved, there) {
            (None, _) => Rewritten::default(),
            (Some(resolved), Some(state)) => {
                resolved::rewrite(&self.rejects, state, resolved).await?
            }
            (Some(_), None) => {
                return Err(Error::BadTable {
                    place: self.rejects.place(),
                    problem: "rejects of it were replayed, and it is not there any more".to_owned(),
                });
            }
        };
        let taken = self.commit_rejects(there, next, &rewritten).await;
        if let Err(Error::Ahead { .. }) = taken {
            rewritten.take_away(&self.rejects).await;
        }
        let version = taken?;
        self.rejects.maintain(version).await
    }

    async fn commit_rejects(
        &self,
        there: Option<&State>,
        next: Next,
        rewritten: &Rewritten,
    ) -> Result<Version> {
        let Next { rows, rejects } = next;
        let id = format!("rejects-{rows}-{}", rejects.number);
        let mut actions = self.describe_quarantine(there, &id)?;
        if let (Some(state), true) = (there, rejects.replace) {
            let files = self.rejects.files(state).await?;
            actions.extend(files.iter().map(|file| file.remove(true).into()));
        }
        actions.extend(rejects.files.into_iter().map(Action::from));
        actions.extend(rewritten.actions());
        let txn = Transaction::new(txns::settled_app(&self.table, &rows), rejects.number);
        let fence = [txn.app_id.clone()].into();
        actions.push(Action::Txn(txn));
        let change = Change {
            id,
            operation: if rejects.resolved.is_some() { "REPLAY" } else { "WRITE" },
            parameters: serde_json::json!({
                "mode": if rejects.replace { "Overwrite" } else { "Append" },
            }),
            note: serde_json::json!({ "number": rejects.number }),
            actions,
            requires: Requires { txns: fence, files: rewritten.requires(), alone: rejects.replace },
        };
        self.rejects.commit(there, &change).await
    }

    fn describe_quarantine(&self, there: Option<&State>, id: &str) -> Result<Vec<Action>> {
        let schema = struct_type(&quarantine_schema(), &BTreeMap::new()).map_err(internal)?;
        let description = Description {
            name: &format!("quarantine_{}", self.table),
            text: &format!("Records of the topics of {} that were not taken, and why", self.table),
            schema: &schema,
            partition_by: &[],
            properties: vec![(Property::Table, self.quarantine_name())],
        };
        match there {
            None => begin(&description, &table_id(id, description.name)),
            Some(state) => Ok(evolve(state, &description)?.into_iter().collect()),
        }
    }
}
