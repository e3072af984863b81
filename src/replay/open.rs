//! The open rejects in a batch of a quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, LargeBinaryArray, StringArray,
};
use arrow::datatypes::{Int32Type, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::Counts;
use crate::code::Code;
use crate::key::{Source, Topic};
use crate::pipeline::decode::Origin;
use crate::pipeline::fetch::RawBatch;
use crate::pipeline::plan::{Following, Shard};
use crate::pipeline::write::quarantine_schema;
use crate::{Error, Result};

/// The columns that are read.
const READ: [&str; 9] =
    ["topic", "partition", "offset", "line", "column", "code", "raw", "id", "resolved_at"];

/// The columns of the quarantine that a replay reads.
pub(super) fn schema() -> SchemaRef {
    let all = quarantine_schema();
    let read = all.fields().iter().filter(|field| READ.contains(&field.name().as_str()));
    Arc::new(Schema::new(read.cloned().collect::<Vec<_>>()))
}

/// Rejects of one Kafka partition, as the decoder takes them.
pub(super) struct Records {
    /// Their bytes, one after the other.
    pub(super) raw: RawBatch,
    /// Where each lies; its `object` is its place among these.
    pub(super) origins: Vec<Origin>,
    /// Their ids.
    pub(super) ids: Vec<String>,
}

/// The open rejects of a batch that can be cleaned again, by topic and Kafka
/// partition. Those that cannot are counted as staying.
pub(super) fn records(batch: &RecordBatch, counts: &mut Counts) -> Result<Vec<Records>> {
    let columns = Columns::of(batch)?;
    let mut by_source: BTreeMap<(&str, i32), Vec<usize>> = BTreeMap::new();
    for row in (0..batch.num_rows()).filter(|row| columns.resolved_at.is_null(*row)) {
        counts.open += 1;
        counts.without_id += u64::from(columns.id.is_null(row));
        if columns.can_be_cleaned(row) {
            let source = (columns.topic.value(row), columns.partition.value(row));
            by_source.entry(source).or_default().push(row);
        } else {
            let column = columns.column.is_valid(row).then(|| columns.column.value(row));
            counts.stay(columns.code.value(row), column);
        }
    }
    by_source.into_iter().map(|(source, rows)| columns.records(source, &rows)).collect()
}

/// The columns of a batch.
struct Columns<'b> {
    topic: &'b StringArray,
    partition: &'b Int32Array,
    offset: &'b Int64Array,
    line: &'b Int64Array,
    column: &'b StringArray,
    code: &'b StringArray,
    raw: &'b LargeBinaryArray,
    id: &'b StringArray,
    resolved_at: &'b ArrayRef,
}

impl<'b> Columns<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Columns<'b>> {
        let find = || {
            let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
            let number = |name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
            Some(Columns {
                topic: text("topic")?,
                partition: batch.column_by_name("partition")?.as_primitive_opt::<Int32Type>()?,
                offset: number("offset")?,
                line: number("line")?,
                column: text("column")?,
                code: text("code")?,
                raw: batch.column_by_name("raw")?.as_binary_opt::<i64>()?,
                id: text("id")?,
                resolved_at: batch.column_by_name("resolved_at")?,
            })
        };
        find().ok_or_else(|| internal("the quarantine has other columns"))
    }

    /// Whether a reject is a record with all its bytes, and can be told apart.
    fn can_be_cleaned(&self, row: usize) -> bool {
        let code = Code::parse(self.code.value(row));
        self.id.is_valid(row)
            && self.raw.is_valid(row)
            && !self.raw.value(row).is_empty()
            && code.is_some_and(Code::keeps_record)
            && Topic::parse(self.topic.value(row)).is_some()
    }

    fn records(&self, (topic, partition): (&str, i32), rows: &[usize]) -> Result<Records> {
        let topic = Topic::parse(topic).ok_or_else(|| internal("a topic has no name"))?;
        let partition = u32::try_from(partition).map_err(internal)?;
        let (mut bytes, mut origins) = (Vec::new(), Vec::with_capacity(rows.len()));
        for (object, &row) in (0u32..).zip(rows) {
            let raw = self.raw.value(row);
            origins.push(Origin {
                object,
                line: u64::try_from(self.line.value(row)).unwrap_or(0),
                offset: u64::try_from(self.offset.value(row)).unwrap_or(0),
                start: bytes.len(),
                len: raw.len(),
            });
            bytes.extend_from_slice(raw);
        }
        let source = Source { topic, directory: "".into(), partition };
        let shard = Arc::new(shard(source));
        let raw = RawBatch { shard, bytes, pieces: Vec::new(), sizes: Vec::new() };
        let ids = rows.iter().map(|&row| self.id.value(row).to_owned()).collect();
        Ok(Records { raw, origins, ids })
    }
}

/// A shard of no objects.
pub(super) fn shard(source: Source) -> Shard {
    let source = Arc::new(source);
    Shard { source, table: 0, objects: Vec::new(), following: Following::default(), floor: 0 }
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "replay", message: e.to_string() }
}
