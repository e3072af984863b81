//! A few records through decode and clean, as a run would take them, with no
//! store before them and no table behind.

mod json;

use std::sync::Arc;

pub use json::{Row, rows};

use crate::key::{Extension, Layout, Source, Topic};
use crate::pipeline::clean::{CleanBatch, Cleaner};
use crate::pipeline::decode::Decoder;
use crate::pipeline::discover::Object;
use crate::pipeline::fetch::{Piece, RawBatch};
use crate::pipeline::plan::{Following, Shard};
use crate::spec::Spec;
use crate::{Error, Result};

/// The stages that a record meets, for one table.
pub struct Trial<'s> {
    decoder: Decoder<'s>,
    cleaner: Cleaner<'s>,
    layout: Layout,
    shard: Arc<Shard>,
}

impl<'s> Trial<'s> {
    /// A trial of one table.
    ///
    /// # Errors
    /// [`Error::Internal`] if Polars refuses an expression that was checked.
    pub fn new(spec: &'s Spec) -> Result<Trial<'s>> {
        Ok(Trial {
            decoder: Decoder::new(spec),
            cleaner: Cleaner::new(spec)?,
            layout: Layout::default(),
            shard: Arc::new(shard()?),
        })
    }

    /// Takes the lines of an object through the stages.
    ///
    /// # Errors
    /// [`Error::RecordFailed`] if a column says `on_error = "fail"`.
    pub fn run(&mut self, lines: &[u8]) -> Result<CleanBatch> {
        let piece = Piece {
            object: 0,
            range: 0..lines.len(),
            lines_before: 0,
            records_before: 0,
            cut: None,
            last: true,
            fault: None,
        };
        let raw = RawBatch {
            shard: Arc::clone(&self.shard),
            bytes: lines.to_vec(),
            pieces: vec![piece],
            sizes: Vec::new(),
        };
        self.cleaner.clean(self.decoder.decode(raw)?, &self.layout)
    }
}

/// One object that is nowhere.
fn shard() -> Result<Shard> {
    let topic = Topic::parse("trial").ok_or_else(|| Error::Internal {
        stage: "trial",
        message: "its topic has no name".to_owned(),
    })?;
    let object = Object { start: 0, size: 0, width: 10, extension: Extension::Json, etag: None };
    Ok(Shard {
        source: Arc::new(Source { topic, directory: "partition=0".into(), partition: 0 }),
        table: 0,
        objects: vec![object],
        following: Following::default(),
        floor: 0,
    })
}
