//! The quarantine follows the table of rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{TableLogs, add, internal, table_id, txns};
use crate::delta::{
    Action, Add, Change, Description, Property, Requires, State, Transaction, begin, evolve,
    note_of, struct_type,
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
}

impl TableLogs {
    /// What a run's commit will owe; nothing if the quarantine stays as it is.
    pub(super) fn owe(&self, base: Option<&State>, draft: &Draft) -> Option<Owed> {
        let before = base.map_or(0, |state| self.owed(state));
        let replace = draft.mode == Mode::Full && before > 0;
        if draft.rejects.is_empty() && !replace {
            return None;
        }
        let files = draft.rejects.iter().map(add).collect();
        let rejects = Rejects { number: before + 1, replace, files };
        Some(Owed {
            txn: Transaction::new(txns::rejects_app(&self.table), rejects.number),
            note: serde_json::to_value(rejects).unwrap_or_default(),
        })
    }

    /// The commits with rejects that a table's log counts.
    fn owed(&self, state: &State) -> i64 {
        state.txns().get(&txns::rejects_app(&self.table)).copied().unwrap_or(0)
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
            let there = self.rejects.read().await?;
            let settled = there.as_ref().map_or(0, |state| self.owed(state));
            if settled >= owed {
                return Ok(());
            }
            let next = self.rejects_of(rows, settled + 1).await?;
            match self.take_over(there.as_ref(), next).await {
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
        let settled = self.rejects.read().await?.map_or(0, |state| self.owed(&state));
        let mut files = BTreeSet::new();
        for number in settled + 1..=self.owed(rows) {
            let (_, rejects) = self.rejects_of(rows, number).await?;
            files.extend(rejects.files.into_iter().map(|file| file.path));
        }
        Ok(files)
    }

    /// The rejects of the commit with a number: it is among the latest.
    async fn rejects_of(&self, rows: &State, number: i64) -> Result<(String, Rejects)> {
        for version in (0..=rows.version()).rev() {
            let Some(entry) = self.rows.entry(version).await? else { break };
            let Some(rejects) = note_of(entry)
                .and_then(|mut note| note.get_mut("rejects").map(serde_json::Value::take))
            else {
                continue;
            };
            let rejects: Rejects = Deserialize::deserialize(rejects).map_err(internal)?;
            if rejects.number == number {
                return Ok((format!("{}-{number}", self.table), rejects));
            }
        }
        Err(Error::BadTable {
            place: self.rows.place(),
            problem: format!(
                "its log owes rejects to the quarantine ({number}) and no longer says which"
            ),
        })
    }

    async fn take_over(&self, there: Option<&State>, next: (String, Rejects)) -> Result<()> {
        let (id, rejects) = next;
        let mut actions = self.describe_quarantine(there, &id)?;
        if let (Some(state), true) = (there, rejects.replace) {
            let files = self.rejects.files(state).await?;
            actions.extend(files.iter().map(|file| file.remove(true).into()));
        }
        actions.extend(rejects.files.into_iter().map(Action::from));
        let txn = Transaction::new(txns::rejects_app(&self.table), rejects.number);
        let fence = [txn.app_id.clone()].into();
        actions.push(Action::Txn(txn));
        let change = Change {
            id: format!("rejects-{id}"),
            operation: "WRITE",
            parameters: serde_json::json!({
                "mode": if rejects.replace { "Overwrite" } else { "Append" },
            }),
            note: serde_json::json!({ "number": rejects.number }),
            actions,
            requires: Requires { txns: fence, alone: rejects.replace, ..Requires::default() },
        };
        let version = self.rejects.commit(there, &change).await?;
        self.rejects.maintain(version).await
    }

    fn describe_quarantine(&self, there: Option<&State>, id: &str) -> Result<Vec<Action>> {
        let schema = struct_type(&quarantine_schema(), &BTreeMap::new()).map_err(internal)?;
        let description = Description {
            name: &format!("quarantine_{}", self.table),
            text: &format!("Records of the topics of {} that were not taken, and why", self.table),
            schema: &schema,
            partition_by: &[],
            properties: vec![(Property::Table, format!("_quarantine/{}", self.table))],
        };
        match there {
            None => begin(&description, &table_id(id, &description.name)),
            Some(state) => Ok(evolve(state, &description)?.into_iter().collect()),
        }
    }
}
