//! The losers among the rows of files, read in bounded memory.
//!
//! The rows of the run are the ones that are held: the best of each key, with
//! its record and place. The files that were there stream past them. If the keys
//! are too many, they are divided by their hash and the files are read once for
//! each division.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use futures::{StreamExt, stream};
use object_store::path::Path;
use tokio::runtime::Handle;

use super::contest::{Columns, Contest, Kept, Stay};
use super::internal;
use crate::Result;
use crate::delta::read::FileReader;
use crate::store::Output;

/// Files that are opened ahead: of each up to half a megabyte is at hand.
const OPENED_AHEAD: usize = 8;
/// Keys are divided no further: so many times the files would be read.
const MOST_BUCKETS: u64 = 1 << 12;

/// A file to be read.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Its path from the output's root.
    pub(super) path: Path,
    /// The values of partition columns, as the log spells them.
    pub(super) partition: BTreeMap<String, Option<String>>,
}

/// The files of a table that was there and of a run, to be read for their keys.
pub(super) struct Scan<'a> {
    pub(super) output: &'a Output,
    pub(super) runtime: &'a Handle,
    /// The key's columns, and after them topic, partition and offset.
    pub(super) schema: SchemaRef,
    /// Those that were there, and after them those of the run; in this order the
    /// later of two rows of one record wins.
    pub(super) files: &'a [Input],
    /// How many were there.
    pub(super) old: usize,
    /// Bytes of the best rows that are held, and of challengers half as many.
    pub(super) budget: usize,
}

/// The keys whose hash has a remainder.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    of: u64,
    remainder: u64,
}

impl Bucket {
    const ALL: Bucket = Bucket { of: 1, remainder: 0 };

    fn halves(self) -> [Bucket; 2] {
        let of = self.of * 2;
        [self.remainder, self.remainder + self.of].map(|remainder| Bucket { of, remainder })
    }
}

impl Scan<'_> {
    /// What stays of each file. To be called on a thread outside of the runtime.
    ///
    /// # Errors
    /// Those of [`FileReader`].
    pub(super) fn run(&self) -> Result<Vec<Kept>> {
        let columns = Columns::new(&self.schema);
        let mut stay = Stay::new(self.files.len());
        let mut buckets = vec![Bucket::ALL];
        while let Some(bucket) = buckets.pop() {
            let mut contest = Contest::new(&columns, self.budget / 2)?;
            if !self.enter(&columns, bucket, &mut contest, &mut stay)? {
                buckets.extend(bucket.halves());
                continue;
            }
            contest.close(&mut stay)?;
            self.each(0..self.old, &mut stay, |file, row, batch, stay| {
                match challengers(&columns, bucket, Place { file, row }, batch)? {
                    Some(batch) => contest.add(batch, stay),
                    None => Ok(()),
                }
                .map(|()| true)
            })?;
            contest.settle(&mut stay)?;
        }
        Ok(stay.finish())
    }

    /// Lets the rows of the run into the contest; `false` if there is no room.
    fn enter(
        &self,
        columns: &Columns,
        bucket: Bucket,
        contest: &mut Contest,
        stay: &mut Stay,
    ) -> Result<bool> {
        let fits = |contest: &Contest| contest.bytes() <= self.budget || bucket.of >= MOST_BUCKETS;
        let all = self.each(self.old..self.files.len(), stay, |file, row, batch, stay| {
            if let Some(batch) = challengers(columns, bucket, Place { file, row }, batch)? {
                contest.add(batch, stay)?;
            }
            Ok(fits(contest))
        })?;
        if all {
            contest.settle(stay)?;
        }
        Ok(all && fits(contest))
    }

    /// Calls with each batch of some files, until that says `false`.
    fn each(
        &self,
        files: std::ops::Range<usize>,
        stay: &mut Stay,
        mut batch: impl FnMut(usize, usize, RecordBatch, &mut Stay) -> Result<bool>,
    ) -> Result<bool> {
        let open = |file: usize| async move {
            let Input { path, partition } = &self.files[file];
            let reader = FileReader::open(self.output, path).await?;
            let rows = usize::try_from(reader.rows()).map_err(internal)?;
            Ok::<_, crate::Error>((file, rows, reader.read(&self.schema, partition)?))
        };
        let mut opened = stream::iter(files).map(open).buffered(OPENED_AHEAD).boxed();
        while let Some(next) = self.runtime.block_on(opened.next()) {
            let (file, rows, mut batches) = next?;
            stay.has_rows(file, rows);
            let mut row = 0;
            while let Some(next) = self.runtime.block_on(batches.next()) {
                let next = next?;
                let rows = next.num_rows();
                if !batch(file, row, next, stay)? {
                    return Ok(false);
                }
                row += rows;
            }
            if row != rows {
                return Err(internal(format!(
                    "{}: {row} rows were read of {rows}",
                    self.output.place(&self.files[file].path)
                )));
            }
        }
        Ok(true)
    }
}

/// The first row of a batch.
#[derive(Debug, Clone, Copy)]
struct Place {
    file: usize,
    row: usize,
}

/// The rows of a batch that have a key, and one of the bucket.
fn challengers(
    columns: &Columns,
    bucket: Bucket,
    place: Place,
    batch: RecordBatch,
) -> Result<Option<RecordBatch>> {
    let rows = batch.num_rows();
    let wanted = wanted(&batch.columns()[..columns.keys()], bucket)?;
    if wanted.true_count() == 0 {
        return Ok(None);
    }
    let first = i64::try_from(place.row).map_err(internal)?;
    let file = i64::try_from(place.file).map_err(internal)?;
    let places: [ArrayRef; 2] = [
        Arc::new(Int64Array::from_value(file, rows)),
        Arc::new(Int64Array::from_iter_values((first..).take(rows))),
    ];
    let batch = columns.batch(batch.columns().iter().cloned().chain(places).collect())?;
    if wanted.true_count() == rows {
        return Ok(Some(batch));
    }
    let batch = filter_record_batch(&batch, &wanted).map_err(internal)?;
    columns.batch(batch.columns().iter().map(own).collect()).map(Some)
}

fn wanted(key: &[ArrayRef], bucket: Bucket) -> Result<BooleanArray> {
    let rows = key.first().map_or(0, |column| column.len());
    let nulls = key.iter().fold(None, |nulls, column| {
        NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref())
    });
    let has_key = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    if bucket.of == 1 {
        return Ok((0..rows).map(|row| Some(has_key(row))).collect());
    }
    let fields = key.iter().map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).map_err(internal)?;
    let keys = converter.convert_columns(key).map_err(internal)?;
    let inside = keys.iter().map(|key| {
        let mut hasher = DefaultHasher::new();
        hasher.write(key.as_ref());
        hasher.finish() % bucket.of == bucket.remainder
    });
    Ok(inside.enumerate().map(|(row, inside)| Some(inside && has_key(row))).collect())
}

/// Texts that were taken from a batch keep all texts of the batch in memory.
fn own(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        _ => Arc::clone(column),
    }
}
