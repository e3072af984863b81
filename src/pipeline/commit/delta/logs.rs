//! The logs of one table: all that is known of it without its transform.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;

use super::txns;
use crate::delta::{Log, Property, State};
use crate::pipeline::discover::Watermarks;
use crate::spec::is_table_name;
use crate::store::Output;
use crate::{Error, Result};

/// Folders that are looked into at a time.
const AT_ONCE: usize = 16;

/// The log of a table's rows and that of its quarantine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TableLogs {
    pub(super) table: String,
    pub(super) rows: Log,
    pub(super) rejects: Log,
}

/// What is in the folder of a table.
#[derive(Debug, Clone)]
pub enum Holds {
    /// The table, as its latest version says that it is.
    Table(State),
    /// A Delta table of another name or maker; in words.
    Stranger(String),
    /// A table of plain Parquet.
    Manifests,
    /// No table.
    Nothing,
}

impl TableLogs {
    /// The logs of a table below the output; they need not exist.
    pub fn new(output: &Output, table: &str) -> TableLogs {
        TableLogs {
            table: table.to_owned(),
            rows: Log::new(output, Path::from(table)),
            rejects: Log::new(output, Path::from_iter(["_quarantine", table])),
        }
    }

    /// The folders below an output that may be tables, in order of their names.
    ///
    /// # Errors
    /// Those of listing.
    pub async fn folders(output: &Output) -> Result<Vec<String>> {
        let root = Path::default();
        let listed = output.objects.list_with_delimiter(None).await;
        let listed = listed.map_err(|e| output.list_error(&root, e))?;
        let names = listed.common_prefixes.iter().filter_map(|path| path.filename());
        let mut names: Vec<String> =
            names.filter(|name| is_table_name(name)).map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// What is in folders. That one cannot be read is told with it, unless it is
    /// for a reason that all of them have.
    ///
    /// # Errors
    /// As [`look`](Self::look), but for what is no table of ours.
    pub async fn look_into(
        output: &Output,
        names: Vec<String>,
    ) -> Result<Vec<(TableLogs, Result<Holds>)>> {
        stream::iter(names)
            .map(|name| async move {
                let logs = TableLogs::new(output, &name);
                match logs.look().await {
                    Err(error @ (Error::BadTable { .. } | Error::TableFeatures { .. })) => {
                        Ok((logs, Err(error)))
                    }
                    holds => holds.map(|holds| (logs, Ok(holds))),
                }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// The log of the rows.
    pub fn rows(&self) -> &Log {
        &self.rows
    }

    /// The log of the quarantine, which there is only once a record was rejected.
    pub fn rejects(&self) -> &Log {
        &self.rejects
    }

    /// What is there. Nothing is changed: the quarantine may lag behind until
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    /// Those of [`Log::read`], and of listing.
    pub async fn look(&self) -> Result<Holds> {
        let Some(state) = self.rows.read().await? else {
            return Ok(match self.has_manifests().await? {
                true => Holds::Manifests,
                false => Holds::Nothing,
            });
        };
        Ok(match state.property(Property::Table.key()) {
            Some(name) if name == self.table => Holds::Table(state),
            Some(name) => {
                Holds::Stranger(format!("it is the table {name} of pinclean, not {}", self.table))
            }
            None => Holds::Stranger("it is a Delta table that pinclean did not make".to_owned()),
        })
    }

    /// How far each source is committed.
    pub fn watermarks(&self, state: &State) -> Watermarks {
        self.watermarks_of(state.txns())
    }

    /// How far each source got that is among these transactions of the log.
    pub fn watermarks_of(&self, txns: &BTreeMap<String, i64>) -> Watermarks {
        txns::watermarks(&self.table, txns)
    }

    async fn has_manifests(&self) -> Result<bool> {
        let output = self.rows.output();
        let folder = self.rows.folder().clone().join("_pinclean");
        let manifests = output.objects.list_with_delimiter(Some(&folder)).await;
        Ok(!manifests.map_err(|e| output.list_error(&folder, e))?.objects.is_empty())
    }
}
