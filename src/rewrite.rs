//! Rewriting: files of a table → other files with the same rows, or some of them.
//!
//! Files are made fewer, sorted, rid of some rows, or given wider types. Memory
//! is bounded whatever their size and number: rows are read and written a batch
//! at a time, and if they are sorted, those of one new file are held.

use std::pin::pin;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, stream};

use self::files::Files;
use self::sort::Sorter;
use crate::delta::read::FileReader;
use crate::delta::{LiveFile, Log};
use crate::pipeline::write::{FileSink, Staged};
use crate::{Error, Result};

mod files;
mod many;
mod sort;

pub use many::{Many, take_away, take_away_paths};

/// Files whose footers are fetched ahead: half a megabyte each, at most.
const OPENED_AHEAD: usize = 8;

/// A file to be written anew.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file.
    pub file: LiveFile,
    /// The rows that stay: one bit for each, in the file's order. `None` for all.
    pub keep: Option<BooleanBuffer>,
}

/// How rows are sorted within each new file.
#[derive(Debug, Clone, Copy)]
pub struct Sort<'a> {
    /// The column, of a type that has an order. Nulls come last; rows of one
    /// value stay in their order.
    pub column: &'a str,
    /// Bytes of rows that are held, as they are in memory. A file ends there,
    /// even if it is smaller than wanted.
    pub memory: u64,
}

/// How files of one table are written anew.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'a> {
    /// The table.
    pub log: &'a Log,
    /// How its files are made.
    pub sink: &'a FileSink,
    /// The columns of the table, those of the partition too. Columns that a file
    /// lacks are null in it, and narrower ones are widened.
    pub schema: &'a SchemaRef,
    /// A file ends once it has so many bytes.
    pub target_size: u64,
    /// `None` keeps the rows in their order.
    pub sort: Option<Sort<'a>>,
}

impl Rewrite<'_> {
    /// Writes the rows of `sources`, which all have the same partition values,
    /// into files `<name>-<number>.parquet` beside the first of them. `name` must
    /// be new with each call. No file if no row stays. To be called on a thread
    /// outside of the runtime.
    ///
    /// # Errors
    /// [`Error::BadTable`] for a file with a deletion vector;
    /// [`Error::DataFileGone`], [`Error::Read`] and those of writing, each with
    /// the file's place; [`Error::Internal`] if the new files have another number
    /// of rows than the old ones say. No file is left.
    pub fn run(&self, sources: &[Source], name: &str) -> Result<Vec<Staged>> {
        let Some(first) = sources.first() else { return Ok(Vec::new()) };
        self.log.refuse_deletion_vectors(sources.iter().map(|source| &source.file))?;
        let partition = &first.file.partition;
        let columns = self.schema.fields().iter();
        let columns = columns.filter(|field| !partition.contains_key(field.name()));
        let schema = Arc::new(Schema::new(columns.cloned().collect::<Vec<_>>()));
        let mut files = Files::new(self, &first.file, name);
        match self.copy(sources, &schema, &mut files) {
            Ok(()) => Ok(files.into_staged()),
            Err(error) => {
                files.discard();
                Err(error)
            }
        }
    }

    fn copy(&self, sources: &[Source], schema: &SchemaRef, files: &mut Files) -> Result<()> {
        let mut sorter = self.sort.map(|sort| Sorter::new(sort, self.target_size));
        let mut rows = 0;
        let mut opened =
            pin!(stream::iter(sources).map(|source| self.open(source)).buffered(OPENED_AHEAD));
        while let Some(next) = self.sink.runtime.block_on(opened.next()) {
            let (source, reader) = next?;
            let of_row = source.file.size as f64 / reader.rows().max(1) as f64;
            rows += self.rows(source, reader, schema, |batch| match &mut sorter {
                None => files.append(&batch),
                Some(sorter) => sorter.add(batch, of_row, files),
            })?;
        }
        if let Some(sorter) = &mut sorter {
            sorter.flush(files)?;
        }
        files.end()?;
        match files.rows() {
            written if written == rows => Ok(()),
            written => Err(internal(format!("{rows} rows became {written}"))),
        }
    }

    async fn open<'s>(&self, source: &'s Source) -> Result<(&'s Source, FileReader)> {
        let path = self.log.file_path(&source.file.path);
        Ok((source, FileReader::open(self.log.output(), &path).await?))
    }

    /// The rows of one file that stay; returns how many they have to be.
    fn rows(
        &self,
        source: &Source,
        reader: FileReader,
        schema: &SchemaRef,
        mut take: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<u64> {
        let rows = reader.rows();
        let keep = source.keep.as_ref();
        if keep.is_some_and(|keep| keep.len() as u64 != rows) {
            return Err(internal(format!("{} has {rows} rows", source.file.path)));
        }
        let mut batches = reader.read(schema, &source.file.partition)?;
        let mut at = 0;
        while let Some(batch) = self.sink.runtime.block_on(batches.next()) {
            let batch = batch?;
            let rows = batch.num_rows();
            let batch = match keep {
                None => batch,
                Some(keep) => {
                    let keep = BooleanArray::new(keep.slice(at, rows), None);
                    filter_record_batch(&batch, &keep).map_err(internal)?
                }
            };
            at += rows;
            if batch.num_rows() > 0 {
                take(batch)?;
            }
        }
        Ok(keep.map_or(rows, |keep| keep.count_set_bits() as u64))
    }
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "rewrite", message: e.to_string() }
}

#[cfg(test)]
mod tests;
