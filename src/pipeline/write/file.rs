//! One Parquet file, streamed to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tokio::runtime::Handle;

use super::staged::{Staged, Upload};
use super::{DataFile, Target, internal};
use crate::Result;
use crate::store::Output;

/// Rows of a row group: enough for readers to work in large steps.
const ROW_GROUP_ROWS: usize = 128 << 10;
/// Bytes of a row group, encoded: what a writer holds in memory, at most twice.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Bytes of an upload's part. S3 allows 10,000 parts: files of up to 80 GB.
const PART_BYTES: usize = 8 << 20;
/// A file of so few bytes waits for the commit in memory; a larger one waits as
/// an upload that is not completed.
const HELD_BYTES: usize = 256 << 10;
/// All files of a table that wait in memory hold no more; the others wait as
/// uploads, however small.
const HELD_BYTES_A_TABLE: usize = 8 << 20;

pub(super) struct FileWriter {
    /// Its sink is a buffer that is emptied into the upload.
    pub(super) parquet: ArrowWriter<Vec<u8>>,
    output: Output,
    runtime: Handle,
    path: Path,
    /// What files of the table hold in memory.
    held: Arc<AtomicUsize>,
    /// Begins once the file is too large to be held.
    pub(super) upload: Option<Upload>,
    sent: u64,
}

impl FileWriter {
    pub(super) fn open(target: &Target, path: Path, schema: SchemaRef) -> Result<FileWriter> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties(target, &schema)?)
            // Without Arrow's own schema in the file every reader sees the same
            // types, those of Parquet.
            .with_skip_arrow_metadata(true);
        let parquet =
            ArrowWriter::try_new_with_options(Vec::new(), schema, options).map_err(internal)?;
        Ok(FileWriter {
            parquet,
            output: target.output.clone(),
            runtime: target.runtime.clone(),
            path,
            held: Arc::clone(&target.held),
            upload: None,
            sent: 0,
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.parquet.write(batch).map_err(internal)?;
        if self.parquet.inner().len() >= PART_BYTES { self.send() } else { Ok(()) }
    }

    /// Completes the file's bytes. Nobody sees it before it is
    /// [published](Staged::publish).
    pub(super) fn finish(mut self) -> Result<Staged> {
        let footer = match self.parquet.finish().map_err(internal) {
            Ok(footer) => footer,
            Err(error) => {
                self.abort();
                return Err(error);
            }
        };
        // As the file says, so that the balance proves more than an addition.
        let rows = u64::try_from(footer.file_metadata().num_rows()).map_err(internal)?;
        let bytes = self.parquet.inner().len();
        let small = self.upload.is_none() && bytes <= HELD_BYTES;
        if !small || self.held.fetch_add(bytes, Relaxed) + bytes > HELD_BYTES_A_TABLE {
            self.send()?;
            self.settle()?;
        }
        let rest = std::mem::take(self.parquet.inner_mut());
        let bytes = self.sent + rest.len() as u64;
        let path = self.path.filename().unwrap_or_default().to_owned();
        let file = DataFile { path, rows, bytes, partition: Vec::new() };
        Ok(match self.upload.take() {
            None => Staged::held(self.path, file, rest.into()),
            Some(upload) => Staged::uploaded(self.path, file, upload),
        })
    }

    /// Ends an open upload; what cannot be ended is left to the store's rules.
    pub(super) fn abort(mut self) {
        self.end_upload();
    }

    fn end_upload(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.runtime.block_on(upload.abort(&self.output, &self.path));
        }
    }

    /// Sends what is encoded, as one part.
    fn send(&mut self) -> Result<()> {
        let bytes = std::mem::take(self.parquet.inner_mut());
        self.sent += bytes.len() as u64;
        let (path, objects, slot) = (&self.path, &self.output.objects, &mut self.upload);
        let sent = self.runtime.block_on(async {
            let upload = match slot {
                Some(upload) => upload,
                None => slot.insert(Upload::new(objects.put_multipart(path).await?)),
            };
            upload.put(bytes.into()).await
        });
        self.or_abort(sent)
    }

    /// Waits until every part has arrived.
    fn settle(&mut self) -> Result<()> {
        let Some(upload) = &mut self.upload else { return Ok(()) };
        let settled = self.runtime.block_on(upload.settle());
        self.or_abort(settled)
    }

    fn or_abort(&mut self, result: object_store::Result<()>) -> Result<()> {
        result.map_err(|e| {
            self.end_upload();
            self.output.write_error(&self.path, e)
        })
    }
}

fn properties(target: &Target, schema: &Schema) -> Result<WriterProperties> {
    // No run and no time: a repeated attempt gives the same bytes.
    let about = [
        ("pinclean.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("pinclean.table", target.table.clone()),
        ("pinclean.spec_hash", target.spec_hash.clone()),
    ];
    let properties = WriterProperties::builder()
        // Level 1 costs about what Snappy costs, and files are a third smaller;
        // higher levels take the time that cleaning takes for a few percent.
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(internal)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_key_value_metadata(Some(
            about.into_iter().map(|(k, v)| KeyValue::new(k.to_owned(), v)).collect(),
        ));
    // Raw records are as good as unique, and of up to 16 MiB.
    let raw = schema.fields().iter().filter(|f| *f.data_type() == DataType::LargeBinary);
    let properties = raw.fold(properties, |properties, field| {
        let column = ColumnPath::from(field.name().as_str());
        properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None)
    });
    Ok(properties.build())
}
