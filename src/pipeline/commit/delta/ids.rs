//! Ids of rejects, many of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::path::Path;

use super::internal;
use crate::delta::read::FileReader;
use crate::pipeline::write::{FileSink, FileWriter, Staged, id_parts};
use crate::store::Output;
use crate::{Error, Result};

/// Ids that are written at a time.
const ROWS_AT_ONCE: usize = 8 << 10;

/// A set of ids of rejects, in 8 bytes each: most share their stem with many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectIds {
    /// Stems, and the rows of each, rising.
    rows: BTreeMap<String, Vec<u64>>,
}

impl RejectIds {
    /// The set of these ids. What is no id is left out.
    pub fn new<'a>(ids: impl IntoIterator<Item = &'a str>) -> RejectIds {
        let mut set = RejectIds::default();
        ids.into_iter().for_each(|id| set.push(id));
        set.settle();
        set
    }

    /// All ids of several sets.
    pub fn union(sets: impl IntoIterator<Item = RejectIds>) -> RejectIds {
        let mut all = RejectIds::default();
        for (stem, rows) in sets.into_iter().flat_map(|set| set.rows) {
            all.rows.entry(stem).or_default().extend(rows);
        }
        all.settle();
        all
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.rows.values().map(|rows| rows.len() as u64).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether an id is among them.
    pub fn contains(&self, id: &str) -> bool {
        id_parts(id).is_some_and(|(stem, row)| {
            self.rows.get(stem).is_some_and(|rows| rows.binary_search(&row).is_ok())
        })
    }

    /// Whether an id may be among them that lies between two texts, both
    /// included.
    pub(super) fn may_meet(&self, low: &str, high: &str) -> bool {
        // A stem's ids are `stem-` and digits; `:` comes after the digits.
        self.rows
            .keys()
            .any(|stem| format!("{stem}-:").as_str() >= low && format!("{stem}-").as_str() <= high)
    }

    /// Writes them as a Parquet file, which is yet to be published.
    ///
    /// # Errors
    /// Those of [`FileWriter`].
    pub fn stage(&self, sink: &FileSink, path: Path) -> Result<Staged> {
        let mut file = FileWriter::open(sink, path, &RecordBatch::new_empty(schema()))?;
        for (stem, rows) in &self.rows {
            for rows in rows.chunks(ROWS_AT_ONCE) {
                let ids = rows.iter().map(|row| Some(format!("{stem}-{row}")));
                let ids = Arc::new(ids.collect::<StringArray>());
                let batch = RecordBatch::try_new(schema(), vec![ids]).map_err(internal);
                if let Err(error) = batch.and_then(|batch| file.write(&batch)) {
                    file.abort();
                    return Err(error);
                }
            }
        }
        file.finish()
    }

    /// Reads what [`stage`](Self::stage) wrote.
    ///
    /// # Errors
    /// Those of [`FileReader`].
    pub async fn read(output: &Output, path: &Path) -> Result<RejectIds> {
        let file = FileReader::open(output, path).await?;
        let mut batches = file.read(&schema(), &BTreeMap::new())?;
        let mut ids = RejectIds::default();
        while let Some(batch) = batches.try_next().await? {
            ids_of(&batch)?.iter().flatten().for_each(|id| ids.push(id));
        }
        ids.settle();
        Ok(ids)
    }

    /// Adds one. The set is whole once it went through [`union`](Self::union).
    pub fn push(&mut self, id: &str) {
        let Some((stem, row)) = id_parts(id) else { return };
        match self.rows.get_mut(stem) {
            Some(rows) => rows.push(row),
            None => drop(self.rows.insert(stem.to_owned(), vec![row])),
        }
    }

    fn settle(&mut self) {
        for rows in self.rows.values_mut() {
            rows.sort_unstable();
            rows.dedup();
        }
    }
}

/// The column of ids alone.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("id", DataType::Utf8, true)]))
}

/// The ids of a batch that has the column.
pub(super) fn ids_of(batch: &RecordBatch) -> Result<&StringArray> {
    let ids = batch.column_by_name("id").and_then(|ids| ids.as_string_opt());
    ids.ok_or_else(|| Error::Internal { stage: "commit", message: "no column of ids".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_again_and_others_are_not() {
        let ids = ["a-b-7", "a-b-70", "a.c-0", "a-b-7"];
        let set = RejectIds::new(ids);
        assert_eq!(set.len(), 3);
        assert!(ids.iter().all(|id| set.contains(id)));
        for other in ["a-b-71", "a-7", "a.c", "", "-", "a.c-x"] {
            assert!(!set.contains(other), "{other}");
        }
        let parts = [&ids[..1], &ids[1..]].map(|ids| RejectIds::new(ids.iter().copied()));
        assert_eq!(RejectIds::union(parts), set);
    }

    #[test]
    fn bounds_never_hide_an_id() {
        let ids = ["pin+0-9", "pin+0-10", "pin+10-0", "geo-3"];
        for id in ids {
            let set = RejectIds::new([id]);
            for low in ids {
                for high in ids {
                    let within = low <= id && id <= high;
                    assert!(!within || set.may_meet(low, high), "{id} in {low}..={high}");
                }
            }
        }
        assert!(!RejectIds::new(["geo-3"]).may_meet("pin", "pio"));
        assert!(!RejectIds::new(["zoo-3"]).may_meet("pin", "pio"));
    }
}
