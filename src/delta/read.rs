//! Reading: a data file of a table → record batches of the schema wanted.
//!
//! A table's files may be older than its schema: columns that they lack are
//! null, narrow numbers are widened, and the values of partition columns stand
//! in the log and not in the file.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use self::columns::Columns;
use self::object::ObjectReader;
use crate::store::Output;
use crate::{Error, Result};

mod columns;
mod object;

/// Rows of a batch, at most.
const BATCH_ROWS: i64 = 8 << 10;
/// Bytes of a batch, as the file's average row has it: raw records may be long.
const BATCH_BYTES: i64 = 4 << 20;

/// The rows of a file, in order. It ends after its first error.
pub type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// One data file of a table, of which the footer was read.
///
/// Small files are fetched whole by the one request that fetches the footer.
pub struct FileReader {
    object: ObjectReader,
    footer: ArrowReaderMetadata,
    rows: u64,
}

impl FileReader {
    /// Reads the footer of the file at `path`, from the output's root.
    ///
    /// # Errors
    /// [`Error::DataFileGone`]; [`Error::Read`] with the file's place for what is
    /// no Parquet file; [`Error::AccessDenied`].
    pub async fn open(output: &Output, path: &Path) -> Result<FileReader> {
        let opened = ObjectReader::open(output, path).await;
        let mut object = opened.map_err(|e| store_error(output, path, e))?;
        // Types are those of Parquet, whoever wrote the file.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let footer = ArrowReaderMetadata::load_async(&mut object, options).await;
        let footer = footer.map_err(|e| object.error(e))?;
        let rows = u64::try_from(footer.metadata().file_metadata().num_rows())
            .map_err(|e| object.error(ParquetError::External(Box::new(e))))?;
        Ok(FileReader { object, footer, rows })
    }

    /// The footer: schema, row groups, and what [`stats`](super::stats) needs.
    pub fn metadata(&self) -> &ParquetMetaData {
        self.footer.metadata()
    }

    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows as batches of `wanted`, which may be some of the table's columns
    /// only: no others are fetched. `partition` holds the values of partition
    /// columns as the log spells them. Memory is bounded by a row group as it is
    /// stored and a batch of some megabytes.
    ///
    /// # Errors
    /// [`Error::Read`] with the file's place for a column of another type that
    /// is not a narrower one, and for a partition value that is none of its
    /// type. The stream gives those of [`open`](Self::open).
    pub fn read(
        self,
        wanted: &SchemaRef,
        partition: &BTreeMap<String, Option<String>>,
    ) -> Result<BatchStream> {
        let FileReader { object, footer, .. } = self;
        let place = object.clone();
        let failed = move |e| place.error(e);
        let columns = Columns::new(wanted, footer.schema(), partition).map_err(&failed)?;
        let options = ArrowReaderOptions::new().with_schema(columns.hinted(footer.schema()));
        let footer =
            ArrowReaderMetadata::try_new(footer.metadata().clone(), options).map_err(&failed)?;
        let mask = ProjectionMask::roots(footer.parquet_schema(), columns.roots(footer.schema()));
        let rows = rows_at_once(footer.metadata(), &mask);
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(object, footer)
            .with_projection(mask)
            .with_batch_size(rows)
            .build()
            .map_err(&failed)?;
        let batches = stream
            .map(move |batch| batch.and_then(|batch| Ok(columns.batch(&batch)?)).map_err(&failed));
        Ok(batches.boxed())
    }
}

/// Rows of a batch that keeps within [`BATCH_BYTES`], by the row group with the
/// longest rows.
fn rows_at_once(metadata: &ParquetMetaData, mask: &ProjectionMask) -> usize {
    let longest = metadata.row_groups().iter().map(|group| {
        let leaves = group.columns().iter().enumerate();
        let read = leaves.filter(|(leaf, _)| mask.leaf_included(*leaf));
        let bytes: i64 = read.map(|(_, column)| column.uncompressed_size().max(0)).sum();
        bytes / group.num_rows().max(1)
    });
    let row = longest.max().unwrap_or(0).max(1);
    (BATCH_BYTES / row).clamp(1, BATCH_ROWS) as usize
}

fn store_error(output: &Output, path: &Path, e: object_store::Error) -> Error {
    match e {
        e @ object_store::Error::NotFound { .. } => {
            Error::DataFileGone { path: output.place(path), source: Box::new(e) }
        }
        e => output.read_error(path, e),
    }
}

#[cfg(test)]
mod tests;
