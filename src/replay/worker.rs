//! One thread of a replay.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use polars::prelude::{BooleanChunked, NewChunkedArray, PlSmallStr};

use super::open::{self, Records};
use super::{Counts, Replay};
use crate::delta::LiveFile;
use crate::delta::read::FileReader;
use crate::key::{Layout, Source, Topic};
use crate::pipeline::clean::{CleanBatch, Cleaner};
use crate::pipeline::commit::RejectIds;
use crate::pipeline::decode::{Decoder, Reject};
use crate::pipeline::write::{ShardWriter, Staged};
use crate::spec::Spec;
use crate::{Error, Result};

/// What one thread made of its files.
pub(super) struct Part {
    pub(super) counts: Counts,
    pub(super) files: Vec<Staged>,
    /// The rejects that land.
    pub(super) ids: RejectIds,
}

/// The stages of one thread.
pub(super) struct Worker<'a> {
    replay: &'a Replay<'a>,
    decoder: Decoder<'a>,
    cleaner: Cleaner<'a>,
    writer: ShardWriter,
    counts: Counts,
    ids: RejectIds,
}

impl<'a> Worker<'a> {
    /// A worker; `number` tells it from the others.
    ///
    /// # Errors
    /// [`Error::Internal`] if Polars refuses an expression that was checked.
    pub(super) fn new(replay: &'a Replay<'a>, spec: &'a Spec, number: usize) -> Result<Worker<'a>> {
        let topic = Topic::parse("replay").ok_or_else(|| Error::Internal {
            stage: "replay",
            message: "its topic has no name".to_owned(),
        })?;
        // The files are of many topics: this one is in none of their rows.
        let shard = open::shard(Source { topic, directory: "".into(), partition: 0 });
        let stem = format!("replay-{}-{number}", replay.target.run_id);
        Ok(Worker {
            replay,
            decoder: Decoder::new(spec),
            cleaner: Cleaner::new(spec)?,
            writer: ShardWriter::with_stem(Arc::clone(replay.target), Arc::new(shard), stem),
            counts: Counts::default(),
            ids: RejectIds::default(),
        })
    }

    /// Takes files until there are none.
    ///
    /// # Errors
    /// Those of the stages. Nothing of it stays behind then.
    pub(super) fn files(mut self, next: impl Fn() -> Option<LiveFile>) -> Result<Part> {
        while let Some(file) = next() {
            if let Err(error) = self.file(&file) {
                self.writer.abort();
                return Err(error);
            }
        }
        let Worker { writer, counts, ids, .. } = self;
        Ok(Part { counts, files: writer.finish()?.files, ids })
    }

    fn file(&mut self, file: &LiveFile) -> Result<()> {
        let log = self.replay.table.quarantine();
        let runtime = &self.replay.target.runtime;
        let path = log.file_path(&file.path);
        let reader = runtime.block_on(FileReader::open(log.output(), &path))?;
        let mut batches = reader.read(&open::schema(), &BTreeMap::new())?;
        while let Some(batch) = runtime.block_on(batches.next()) {
            self.replay.stop.check()?;
            for records in open::records(&batch?, &mut self.counts)? {
                self.records(records)?;
            }
        }
        Ok(())
    }

    fn records(&mut self, records: Records) -> Result<()> {
        let Records { raw, origins, ids } = records;
        let decoded = self.decoder.decode_records(raw, &origins)?;
        let batch = self.cleaner.clean(decoded, &Layout::default())?;
        let CleanBatch { frame, rows, rejects, .. } = batch;
        let mut failed: BTreeMap<u32, &Reject> = BTreeMap::new();
        for reject in &rejects {
            failed.entry(reject.object).or_insert(reject);
        }
        for reject in failed.values() {
            self.counts.stay(reject.code.as_str(), reject.column.as_deref());
        }
        // A reject of several records lands as a whole or not at all.
        let lands: Vec<bool> = rows.iter().map(|row| !failed.contains_key(&row.object)).collect();
        let frame = match lands.contains(&false) {
            false => frame,
            true => frame
                .filter(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &lands))
                .map_err(|e| Error::Internal { stage: "replay", message: e.to_string() })?,
        };
        let landed = (0u32..).zip(&ids).filter(|(object, _)| !failed.contains_key(object));
        for (_, id) in landed {
            self.ids.push(id);
            self.counts.landed += 1;
        }
        self.counts.rows += frame.height() as u64;
        self.writer.append(&frame, &[])
    }
}
