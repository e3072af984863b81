//! The files that a version of a table consists of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Utc;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::Remove;
use deltalake_core::table::state::DeltaTableState;
use object_store::path::Path;
use serde_json::Value;

use super::log::{Log, State};
use crate::{Error, Result};

/// A file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveFile {
    /// Its path below the table's folder, not encoded.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub modified: i64,
    /// The values of the partition columns, as the log spells them.
    pub partition: BTreeMap<String, Option<String>>,
    /// Its statistics, as the log has them; null if it has none.
    pub stats: Value,
    /// Whether some of its rows are deleted by a vector beside it.
    pub has_deletion_vector: bool,
}

impl LiveFile {
    /// Rows, if its statistics say.
    pub fn rows(&self) -> Option<u64> {
        self.stats["numRecords"].as_u64()
    }

    /// The action that takes it out of the table.
    pub fn remove(&self, data_change: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            data_change,
            deletion_timestamp: Some(Utc::now().timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(HashMap::from_iter(self.partition.clone())),
            size: i64::try_from(self.size).ok(),
            ..Remove::default()
        }
    }
}

impl Log {
    /// The files of a version. All of them are held in memory.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn files(&self, state: &State) -> Result<Vec<LiveFile>> {
        let loaded = DeltaTableState::try_new(self.store.as_ref(), Some(state.version())).await;
        let loaded = loaded.map_err(|e| self.explain_library(e))?;
        let data = loaded.log_data();
        let files = data.iter().map(|file| LiveFile {
            path: file.path().into_owned(),
            size: u64::try_from(file.size()).unwrap_or(0),
            modified: file.modification_time(),
            partition: file.partition_values_map().into_iter().collect(),
            stats: file
                .stats()
                .and_then(|stats| serde_json::from_str(&stats).ok())
                .unwrap_or(Value::Null),
            has_deletion_vector: file.deletion_vector_descriptor().is_some(),
        });
        Ok(files.collect())
    }

    /// Refuses files of which another engine has deleted rows by vectors: they are
    /// not read, and a deleted row must not come back.
    ///
    /// # Errors
    /// [`Error::BadTable`] with the first of them.
    pub fn refuse_deletion_vectors<'f>(
        &self,
        files: impl IntoIterator<Item = &'f LiveFile>,
    ) -> Result<()> {
        match files.into_iter().find(|file| file.has_deletion_vector) {
            None => Ok(()),
            Some(file) => Err(self.bad(format!(
                "another engine deleted rows of {} by a deletion vector: apply the vectors there \
                 first (in Spark: REORG TABLE … APPLY (PURGE))",
                file.path
            ))),
        }
    }

    pub(super) async fn live_paths(&self, state: &State) -> Result<BTreeSet<String>> {
        Ok(self.files(state).await?.into_iter().map(|file| file.path).collect())
    }

    /// Where a file of the table is below the output. The log's path is the
    /// object's name as it is: what is escaped in it is not escaped once more.
    pub fn file_path(&self, file: &str) -> Path {
        let path = format!("{}/{file}", self.folder);
        Path::parse(&path).unwrap_or_else(|_| Path::from(path))
    }

    pub(super) fn explain_library(&self, e: DeltaTableError) -> Error {
        let folder = self.folder_of_commits();
        match e {
            DeltaTableError::KernelError(e) => self.explain(e),
            DeltaTableError::ObjectStore { source } => self.output.read_error(&folder, source),
            e => self.explain_any(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;
    use crate::store::Output;

    #[test]
    fn a_file_is_where_its_writer_put_it() {
        let objects = Arc::new(InMemory::new());
        let output = Output { objects, url: "out".into(), refusals: None };
        let log = Log::new(&output, Path::from_iter(["_quarantine", "pin"]));
        for file in ["a.parquet", "day=1/a.parquet", "at=20%3A15/x=100%25/a b.parquet"] {
            assert_eq!(log.file_path(file).as_ref(), format!("_quarantine/pin/{file}"));
        }
    }
}
