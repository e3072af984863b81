//! Planning: what is new, cut into shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::discover::Object;
use crate::key::Source;

/// A key range of one source: the unit of work.
#[derive(Debug, Clone)]
pub struct Shard {
    /// Topic, directory and Kafka partition.
    pub source: Arc<Source>,
    /// Index of the table's spec among the run's specs.
    pub table: usize,
    /// The objects, by rising start offset; never empty.
    pub objects: Vec<Object>,
    /// Under the default partitioner, the start offset of the object after the
    /// last one: rows at or past it are certain duplicates.
    pub next_start: Option<u64>,
    /// Rows before this offset are in the table already, from objects that
    /// overlap these; 0 if none are.
    pub floor: u64,
}

/// How far a source was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// Start offset of the last committed object.
    pub start: u64,
    /// The offset after its last record: start plus records.
    pub end: u64,
}

/// The watermarks of one table.
pub type Watermarks = BTreeMap<Source, Watermark>;
