//! One Parquet file, streamed to the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrow::record_batch::RecordBatch;
use object_store::PutPayload;
use object_store::path::Path;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use tokio::runtime::Handle;

use super::blocks::Blocks;
use super::staged::{Staged, Upload};
use super::{DataFile, FileSink, internal};
use crate::Result;
use crate::delta::stats;
use crate::store::Output;

/// Bytes of an upload's part. S3 allows 10,000 parts: files of up to 80 GB.
const PART_BYTES: usize = 8 << 20;
/// A file of so few bytes waits for the commit in memory; a larger one waits as
/// an upload that is not completed.
const HELD_BYTES: usize = 256 << 10;
/// All files of a table that wait in memory hold no more; the others wait as
/// uploads, however small.
const HELD_BYTES_A_TABLE: usize = 8 << 20;

/// One Parquet file under way.
///
/// To be used on a thread outside of the runtime. A writer that is dropped
/// leaves no file, but on S3 perhaps an open upload: end it with
/// [`finish`](Self::finish) or [`abort`](Self::abort).
pub struct FileWriter {
    /// Its sink is emptied into the upload.
    pub(super) parquet: ArrowWriter<Blocks>,
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
    /// A file at `path`. `first` is what will be written first: it says what all
    /// batches look like, and by its rows, if it has some, how the columns are
    /// encoded. Nothing is written and no request is made yet.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) for a type that Parquet lacks.
    pub fn open(sink: &FileSink, path: Path, first: &RecordBatch) -> Result<FileWriter> {
        let options = ArrowWriterOptions::new()
            .with_properties(sink.properties(first)?)
            // Without Arrow's own schema in the file every reader sees the same
            // types, those of Parquet.
            .with_skip_arrow_metadata(true);
        let parquet = ArrowWriter::try_new_with_options(Blocks::default(), first.schema(), options)
            .map_err(internal)?;
        Ok(FileWriter {
            parquet,
            output: sink.output.clone(),
            runtime: sink.runtime.clone(),
            path,
            held: Arc::clone(&sink.held),
            upload: None,
            sent: 0,
        })
    }

    /// Adds rows. What is encoded goes to the store as soon as it is a part.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write) or
    /// [`Error::AccessDenied`](crate::Error::AccessDenied) naming the file;
    /// [`Error::Internal`](crate::Error::Internal) for another schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.parquet.write(batch).map_err(internal)?;
        self.send_parts()
    }

    /// The size of the file if it ended here, in bytes: what is encoded, and an
    /// estimate of the row group under way.
    pub fn bytes_so_far(&self) -> u64 {
        (self.parquet.bytes_written() + self.parquet.in_progress_size()) as u64
    }

    /// Completes the file's bytes. Nobody sees it before it is
    /// [published](super::publish).
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn finish(mut self) -> Result<Staged> {
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
            self.send_parts()?;
            let rest = self.parquet.inner_mut().take_rest();
            if rest.content_length() > 0 {
                self.send(rest)?;
            }
            self.settle()?;
        }
        let rest = self.parquet.inner_mut().take_rest();
        let bytes = self.sent + rest.content_length() as u64;
        let path = self.path.filename().unwrap_or_default().to_owned();
        let (partition, stats) = (Vec::new(), stats::of_file(&footer));
        let file = DataFile { path, rows, bytes, partition, stats };
        Ok(match self.upload.take() {
            None => Staged::held(self.path, file, rest),
            Some(upload) => Staged::uploaded(self.path, file, upload),
        })
    }

    /// Ends an open upload; what cannot be ended is left to the store's rules.
    pub fn abort(mut self) {
        self.end_upload();
    }

    fn end_upload(&mut self) {
        if let Some(upload) = self.upload.take() {
            self.runtime.block_on(upload.abort(&self.output, &self.path));
        }
    }

    /// Sends what is encoded, but for what is not yet a part.
    fn send_parts(&mut self) -> Result<()> {
        while let Some(part) = self.parquet.inner_mut().take(PART_BYTES) {
            self.send(part)?;
        }
        Ok(())
    }

    fn send(&mut self, part: PutPayload) -> Result<()> {
        self.sent += part.content_length() as u64;
        let (path, output, slot) = (&self.path, &self.output, &mut self.upload);
        let sent = self.runtime.block_on(async {
            let upload = match slot {
                Some(upload) => upload,
                None => slot.insert(Upload::new(output.upload_before_commit(path).await?)),
            };
            upload.put(part).await
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
