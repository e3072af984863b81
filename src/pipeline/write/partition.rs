//! The rows of a table with `partition_by`, divided by their values.
//!
//! An open Parquet file costs a megabyte before its first row. So rows wait as
//! they are, and a file is opened only to be written at once: the one of the
//! partition that holds the most, whenever the rows that wait are too many, and
//! all at the end. A shard of the usual size gives each partition one file.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeListArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::row::{RowConverter, SortField};
use object_store::path::Path;

use super::file::FileWriter;
use super::staged::{Staged, discard};
use super::value::{folder, serialised};
use super::{Target, internal};
use crate::Result;

/// Bytes of rows that wait, in memory: as many as a row group has, encoded.
const WAITING_BYTES: usize = 32 << 20;

/// The values of the partition columns, in their order.
type Values = Vec<Option<String>>;

/// The partitions of one shard.
pub(super) struct Partitions {
    target: Arc<Target>,
    /// The files' name, without their number.
    stem: String,
    /// The columns of a file: all but those of the partition.
    schema: SchemaRef,
    waiting: BTreeMap<Values, Waiting>,
    /// Bytes of all that waits.
    bytes: usize,
    files: Vec<Staged>,
    /// Bytes that may wait.
    pub(super) limit: usize,
}

/// The rows of one partition, in their order.
#[derive(Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Partitions {
    pub(super) fn new(target: Arc<Target>, stem: &str) -> Partitions {
        let fields = target.schema.fields().iter();
        let kept = fields.filter(|field| !target.partition_by.contains(field.name()));
        let schema = Arc::new(Schema::new(kept.cloned().collect::<Vec<_>>()));
        let stem = stem.to_owned();
        let (waiting, files) = (BTreeMap::new(), Vec::new());
        Partitions { target, stem, schema, waiting, bytes: 0, files, limit: WAITING_BYTES }
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.bytes
    }

    /// Adds the rows of a batch of the target's schema.
    ///
    /// # Errors
    /// Those of writing a file.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        for (values, rows) in self.divide(batch)? {
            let part = self.part(batch, &rows)?;
            let bytes = part.get_array_memory_size();
            let waiting = self.waiting.entry(values).or_default();
            waiting.batches.push(part);
            waiting.bytes += bytes;
            self.bytes += bytes;
            if self.bytes > self.limit {
                self.write_largest()?;
            }
        }
        Ok(())
    }

    /// Writes what waits. After an error nothing is left.
    ///
    /// # Errors
    /// Those of writing a file.
    pub(super) fn finish(mut self) -> Result<Vec<Staged>> {
        for (values, waiting) in std::mem::take(&mut self.waiting) {
            if let Err(error) = self.write(values, waiting) {
                self.discard();
                return Err(error);
            }
        }
        Ok(self.files)
    }

    /// Takes the files away again.
    pub(super) fn discard(self) {
        self.target.runtime.block_on(discard(&self.target.output, self.files));
    }

    /// The rows of each partition, by number, in their order; partitions in the
    /// order of their first rows.
    fn divide(&self, batch: &RecordBatch) -> Result<Vec<(Values, Vec<u32>)>> {
        let named = |name: &String| batch.column_by_name(name).cloned();
        let columns: Option<Vec<ArrayRef>> = self.target.partition_by.iter().map(named).collect();
        let columns = columns.ok_or_else(|| internal("a partition column is not there"))?;
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(internal)?;
        let keys = converter.convert_columns(&columns).map_err(internal)?;
        let mut parts: Vec<(Values, Vec<u32>)> = Vec::new();
        let mut by_values: HashMap<Values, usize> = HashMap::new();
        let mut by_key = HashMap::new();
        for (row, key) in (0u32..).zip(keys.iter()) {
            let part = match by_key.get(&key) {
                Some(part) => *part,
                None => {
                    // Two keys have the same values where one holds an empty text
                    // and the other null.
                    let value = |column| serialised(column, row as usize);
                    let values: Values = columns.iter().map(value).collect::<Result<_>>()?;
                    let part = *by_values.entry(values).or_insert_with_key(|values| {
                        parts.push((values.clone(), Vec::new()));
                        parts.len() - 1
                    });
                    by_key.insert(key, part);
                    part
                }
            };
            parts[part].1.push(row);
        }
        Ok(parts)
    }

    /// Some rows of a batch, as they are in a file.
    fn part(&self, batch: &RecordBatch, rows: &[u32]) -> Result<RecordBatch> {
        let fields = self.schema.fields().iter();
        let kept = fields.map(|field| batch.schema_ref().index_of(field.name()));
        let kept = kept.collect::<std::result::Result<Vec<_>, _>>().map_err(internal)?;
        let batch = batch.project(&kept).map_err(internal)?;
        let taken = match rows.len() == batch.num_rows() {
            true => batch,
            false => {
                let rows = UInt32Array::from_iter_values(rows.iter().copied());
                take_record_batch(&batch, &rows).map_err(internal)?
            }
        };
        let columns = taken.columns().iter().map(own).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(taken.num_rows()));
        RecordBatch::try_new_with_options(taken.schema(), columns, &options).map_err(internal)
    }

    fn write_largest(&mut self) -> Result<()> {
        let largest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.bytes);
        let Some(values) = largest.map(|(values, _)| values.clone()) else { return Ok(()) };
        match self.waiting.remove(&values) {
            Some(waiting) => self.write(values, waiting),
            None => Ok(()),
        }
    }

    /// Writes one file.
    fn write(&mut self, values: Values, waiting: Waiting) -> Result<()> {
        let target = &self.target;
        let columns = target.partition_by.iter().cloned();
        let partition: Vec<(String, Option<String>)> = columns.zip(values).collect();
        let folders = partition.iter().map(|(column, value)| folder(column, value.as_deref()));
        let folders = folders.collect::<Vec<_>>().join("/");
        // The number alone tells the shard's files apart: a file system may take
        // two folders for one, where upper and lower case do not count.
        let below = format!("{folders}/{}-{}.parquet", self.stem, self.files.len());
        let path = Path::parse(format!("{}/{below}", target.table)).map_err(internal)?;
        self.bytes -= waiting.bytes;
        let Some(first) = waiting.batches.first() else { return Ok(()) };
        let mut file = FileWriter::open(&target.sink(), path, first)?;
        for batch in waiting.batches {
            if let Err(error) = file.write(&batch) {
                file.abort();
                return Err(error);
            }
        }
        let mut staged = file.finish()?;
        staged.file.path = below;
        staged.file.partition = partition;
        self.files.push(staged);
        Ok(())
    }
}

/// The same values in buffers of their own: texts that were taken from a batch
/// keep all texts of the batch in memory.
pub(crate) fn own(column: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::LargeList(_) => {
            let (field, offsets, values, nulls) = column.as_list::<i64>().clone().into_parts();
            let list = LargeListArray::try_new(field, offsets, own(&values)?, nulls);
            Arc::new(list.map_err(internal)?)
        }
        _ => Arc::clone(column),
    })
}
