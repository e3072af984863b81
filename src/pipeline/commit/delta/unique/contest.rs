//! Which row is the latest of its key.
//!
//! A contest holds the best row so far of each key, and takes challengers in
//! any order: of two rows of a key the later record wins, and the row that comes
//! later in the files if both are of one record. A row that lost once has lost.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBufferBuilder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use polars::prelude::{
    Column, DataFrame, DataFrameJoinOps, PolarsError, SortMultipleOptions, UniqueKeepStrategy,
};

use super::internal;
use crate::Result;
use crate::arrow_bridge::data_frame;

/// What tells a row's record, in the order that counts.
const RECORD: [&str; 3] = ["topic", "partition", "offset"];
/// Where the row is: the file by its number, and the row in the file.
const PLACE: [&str; 2] = ["file", "row"];
/// The place of a row in the order of all.
const SEAT: &str = "seat";

/// The columns of challengers: the key, the record, the place.
pub(super) struct Columns {
    key: Vec<String>,
    schema: SchemaRef,
}

impl Columns {
    /// For the columns of a file that are read: the key and the three of the record.
    pub(super) fn new(read: &Schema) -> Columns {
        let types = read.fields().iter().map(|field| field.data_type().clone());
        // A table's columns may be called as ours are.
        let keys = read.fields().len().saturating_sub(RECORD.len());
        let key: Vec<String> = (0..keys).map(|n| format!("key{n}")).collect();
        let names = key.iter().map(String::as_str).chain(RECORD);
        let places = PLACE.map(|name| Field::new(name, DataType::Int64, true));
        let fields = names.zip(types).map(|(name, ty)| Field::new(name, ty, true)).chain(places);
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Columns { key, schema }
    }

    /// A batch of challengers from its arrays.
    pub(super) fn batch(&self, arrays: Vec<ArrayRef>) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(internal)
    }

    /// How many columns are the key.
    pub(super) fn keys(&self) -> usize {
        self.key.len()
    }
}

/// The best rows so far, and challengers that wait to be many.
pub(super) struct Contest<'a> {
    columns: &'a Columns,
    best: DataFrame,
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    /// Bytes of challengers that are taken at a time.
    at_once: usize,
    /// Whether challengers for other keys than those that are there are let in.
    open: bool,
}

impl<'a> Contest<'a> {
    pub(super) fn new(columns: &'a Columns, at_once: usize) -> Result<Contest<'a>> {
        let best = data_frame(&RecordBatch::new_empty(Arc::clone(&columns.schema)))?;
        Ok(Contest { columns, best, waiting: Vec::new(), waiting_bytes: 0, at_once, open: true })
    }

    /// Lets no more keys in: what has another key from here on is no challenger.
    pub(super) fn close(&mut self, stay: &mut Stay) -> Result<()> {
        self.settle(stay)?;
        self.open = false;
        Ok(())
    }

    /// Bytes of the best rows.
    pub(super) fn bytes(&self) -> usize {
        self.best.estimated_size()
    }

    /// Takes challengers, and marks who is known to have lost.
    pub(super) fn add(&mut self, batch: RecordBatch, stay: &mut Stay) -> Result<()> {
        self.waiting_bytes += batch.get_array_memory_size();
        self.waiting.push(batch);
        if self.waiting_bytes < self.at_once { Ok(()) } else { self.settle(stay) }
    }

    /// Marks who has lost among all that were taken.
    pub(super) fn settle(&mut self, stay: &mut Stay) -> Result<()> {
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let batch = concat_batches(&self.columns.schema, &waiting).map_err(internal)?;
        drop(waiting);
        let mut challengers = data_frame(&batch)?;
        drop(batch);
        if !self.open {
            challengers = self.challenging(&challengers).map_err(internal)?;
        }
        if challengers.height() == 0 {
            return Ok(());
        }
        self.decide(&challengers, stay).map_err(internal)
    }

    /// Those whose key has a best row.
    fn challenging(&self, rows: &DataFrame) -> Result<DataFrame, PolarsError> {
        let key = &self.columns.key;
        rows.inner_join(&self.best.select(key)?, key, key)?.select(self.best.get_column_names())
    }

    fn decide(&mut self, challengers: &DataFrame, stay: &mut Stay) -> Result<(), PolarsError> {
        let mut all = self.best.vstack(challengers)?;
        all.rechunk_mut();
        all.sort_in_place(RECORD.into_iter().chain(PLACE), SortMultipleOptions::default())?;
        let seats = i64::try_from(all.height()).map_or(0..0, |rows| 0..rows);
        all.with_column(Column::new(SEAT.into(), seats.collect::<Vec<i64>>()))?;
        let best =
            all.unique_stable(Some(&self.columns.key[..]), UniqueKeepStrategy::Last, None)?;
        let mut won = vec![false; all.height()];
        for seat in best.column(SEAT)?.i64()?.into_no_null_iter() {
            won[seat as usize] = true;
        }
        let [file, row] = PLACE.map(|name| all.column(name));
        let places = file?.i64()?.into_no_null_iter().zip(row?.i64()?.into_no_null_iter());
        for ((file, row), _) in places.zip(won).filter(|(_, won)| !won) {
            stay.lost(file as usize, row as usize);
        }
        self.best = best.drop(SEAT)?;
        self.best.rechunk_mut();
        Ok(())
    }
}

/// The rows of each file that stay: a bit for each row, where a file has losers.
#[derive(Debug, Default)]
pub(super) struct Stay(Vec<Rows>);

#[derive(Debug, Default)]
struct Rows {
    rows: usize,
    lost: usize,
    bits: Option<BooleanBufferBuilder>,
}

/// What stays of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Rows in the file.
    pub(super) rows: usize,
    /// Rows of it that lost.
    pub(super) lost: usize,
    /// Set for each row that stays; `None` if all do.
    pub(super) keep: Option<BooleanBuffer>,
}

impl Stay {
    /// Of so many files, of which none has lost a row.
    pub(super) fn new(files: usize) -> Stay {
        Stay((0..files).map(|_| Rows::default()).collect())
    }

    /// Says how many rows a file has, before any of them is marked.
    pub(super) fn has_rows(&mut self, file: usize, rows: usize) {
        self.0[file].rows = rows;
    }

    /// Marks a row; it may be marked already.
    fn lost(&mut self, file: usize, row: usize) {
        let Rows { rows, lost, bits } = &mut self.0[file];
        let bits = bits.get_or_insert_with(|| {
            let mut all = BooleanBufferBuilder::new(*rows);
            all.append_n(*rows, true);
            all
        });
        *lost += usize::from(bits.get_bit(row));
        bits.set_bit(row, false);
    }

    /// What stays, file by file.
    pub(super) fn finish(self) -> Vec<Kept> {
        let kept = |Rows { rows, lost, bits }| Kept {
            rows,
            lost,
            keep: bits.map(|mut bits: BooleanBufferBuilder| bits.finish()),
        };
        self.0.into_iter().map(kept).collect()
    }
}
