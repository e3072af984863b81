//! The new files.

use arrow::record_batch::RecordBatch;

use super::Rewrite;
use crate::Result;
use crate::delta::{LiveFile, Log};
use crate::pipeline::write::{FileSink, FileWriter, Staged, discard};

/// Files of one partition, one after the other.
pub(super) struct Files<'a> {
    log: &'a Log,
    sink: &'a FileSink,
    target_size: u64,
    /// Their paths below the table, without number and ending.
    stem: String,
    partition: Vec<(String, Option<String>)>,
    open: Option<FileWriter>,
    done: Vec<Staged>,
}

impl<'a> Files<'a> {
    /// Files beside `old`, which has the same partition values.
    pub(super) fn new(rewrite: &Rewrite<'a>, old: &LiveFile, name: &str) -> Self {
        let stem = match old.path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{name}"),
            None => name.to_owned(),
        };
        let partition = old.partition.clone().into_iter().collect();
        let &Rewrite { log, sink, target_size, .. } = rewrite;
        Files { log, sink, target_size, stem, partition, open: None, done: Vec::new() }
    }

    /// Adds rows; the file ends once it is large enough.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        let size = self.write(batch)?;
        if size >= self.target_size { self.end() } else { Ok(()) }
    }

    /// Adds rows to the file under way, and returns its size so far.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<u64> {
        let file = match &mut self.open {
            Some(file) => file,
            None => {
                let path = self.log.file_path(&self.path());
                self.open.insert(FileWriter::open(self.sink, path, batch)?)
            }
        };
        file.write(batch)?;
        Ok(file.bytes_so_far())
    }

    /// Ends the file under way, if there is one.
    pub(super) fn end(&mut self) -> Result<()> {
        let Some(file) = self.open.take() else { return Ok(()) };
        let mut staged = file.finish()?;
        staged.file.path = self.path();
        staged.file.partition = self.partition.clone();
        self.done.push(staged);
        Ok(())
    }

    /// Rows of the files that are done, as their footers say.
    pub(super) fn rows(&self) -> u64 {
        self.done.iter().map(|staged| staged.file.rows).sum()
    }

    pub(super) fn into_staged(self) -> Vec<Staged> {
        self.done
    }

    /// Takes all of them away again.
    pub(super) fn discard(self) {
        self.open.into_iter().for_each(FileWriter::abort);
        self.sink.runtime.block_on(discard(&self.sink.output, self.done));
    }

    /// The path of the file under way, below the table.
    fn path(&self) -> String {
        format!("{}-{}.parquet", self.stem, self.done.len())
    }
}
