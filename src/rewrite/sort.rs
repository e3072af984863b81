//! Sorting the rows of one file.
//!
//! Arrow sorts, and not Polars: only the column is put together, and the rows
//! are then picked from the batches that hold them, so that no row is there
//! twice but for those of one batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{
    SortColumn, SortOptions, concat, interleave_record_batch, lexsort_to_indices,
};
use arrow::record_batch::RecordBatch;

use super::files::Files;
use super::{Sort, internal};
use crate::Result;
use crate::pipeline::write::own;

/// Rows that are picked at a time.
const PICKED_AT_ONCE: usize = 8 << 10;
/// Bytes that the order of a row takes while it is found.
const ORDER_BYTES: u64 = 48;

/// The rows of the file that comes next.
pub(super) struct Sorter<'a> {
    sort: Sort<'a>,
    target_size: u64,
    batches: Vec<RecordBatch>,
    /// Bytes in memory.
    bytes: u64,
    /// Bytes that the rows took in their files.
    stored: f64,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(sort: Sort<'a>, target_size: u64) -> Sorter<'a> {
        Sorter { sort, target_size, batches: Vec::new(), bytes: 0, stored: 0.0 }
    }

    /// Holds rows that took `of_row` bytes each where they were. Once they are
    /// enough for a file they are written.
    pub(super) fn add(&mut self, batch: RecordBatch, of_row: f64, files: &mut Files) -> Result<()> {
        let columns = batch.columns().iter().map(own).collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(batch.schema(), columns).map_err(internal)?;
        let rows = batch.num_rows();
        self.bytes += batch.get_array_memory_size() as u64 + ORDER_BYTES * rows as u64;
        self.stored += of_row * rows as f64;
        self.batches.push(batch);
        let enough = self.bytes >= self.sort.memory || self.stored >= self.target_size as f64;
        if enough { self.flush(files) } else { Ok(()) }
    }

    /// Writes what is held, as one file.
    pub(super) fn flush(&mut self, files: &mut Files) -> Result<()> {
        let batches = std::mem::take(&mut self.batches);
        (self.bytes, self.stored) = (0, 0.0);
        if batches.is_empty() {
            return Ok(());
        }
        let order = self.order(&batches)?;
        let refs: Vec<&RecordBatch> = batches.iter().collect();
        for rows in order.chunks(PICKED_AT_ONCE) {
            files.write(&interleave_record_batch(&refs, rows).map_err(internal)?)?;
        }
        files.end()
    }

    /// The rows in order, each as its batch and its place there.
    fn order(&self, batches: &[RecordBatch]) -> Result<Vec<(usize, usize)>> {
        let column = |batch: &RecordBatch| batch.column_by_name(self.sort.column).cloned();
        let columns: Option<Vec<ArrayRef>> = batches.iter().map(column).collect();
        let columns = columns.ok_or_else(|| internal(format!("no column {}", self.sort.column)))?;
        let columns: Vec<_> = columns.iter().map(AsRef::as_ref).collect();
        let values = concat(&columns).map_err(internal)?;
        let number = u32::try_from(values.len()).map_err(internal)?;
        let options = Some(SortOptions { descending: false, nulls_first: false });
        let order = lexsort_to_indices(
            &[
                SortColumn { values, options },
                // Rows of one value stay in their order.
                SortColumn { values: Arc::new(UInt32Array::from_iter(0..number)), options: None },
            ],
            None,
        );
        let places: Vec<(usize, usize)> = batches
            .iter()
            .enumerate()
            .flat_map(|(batch, rows)| (0..rows.num_rows()).map(move |row| (batch, row)))
            .collect();
        let order = order.map_err(internal)?;
        Ok(order.values().iter().map(|row| places[*row as usize]).collect())
    }
}
