//! Rejects as rows of the quarantine.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, LargeBinaryArray, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::{Target, internal};
use crate::Result;
use crate::pipeline::decode::Reject;
use crate::pipeline::plan::Shard;

/// Rejects that become rows at a time. Each row repeats its object's key, of up
/// to 1,024 bytes: a batch of lines of one byte would fill a text column past
/// the 2 GiB that it can hold.
pub(super) const ROWS_AT_ONCE: usize = 8 << 10;

/// The columns of a quarantine file: the same for every table.
///
/// `id` is a reject's alone, in all runs. `resolved_at` and `resolved_by` are null
/// as long as the reject is open; then they say when which run landed its record.
pub fn schema() -> SchemaRef {
    let utf8 = |name| Field::new(name, DataType::Utf8, true);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        utf8("topic"),
        Field::new("partition", DataType::Int32, true),
        Field::new("offset", DataType::Int64, true),
        utf8("object"),
        Field::new("line", DataType::Int64, true),
        utf8("column"),
        utf8("code"),
        utf8("message"),
        Field::new("raw", DataType::LargeBinary, true),
        utf8("run_id"),
        Field::new("at", time.clone(), true),
        utf8("id"),
        Field::new("resolved_at", time, true),
        utf8("resolved_by"),
    ]))
}

/// The id of a reject: the stem of the file that it was written to first, and its
/// row there, from 0.
pub(super) fn id(stem: &str, row: u64) -> String {
    format!("{stem}-{row}")
}

/// The stem and row of an [id](schema); nothing for what is none.
pub fn id_parts(id: &str) -> Option<(&str, u64)> {
    let (stem, row) = id.rsplit_once('-')?;
    Some((stem, row.parse().ok()?))
}

/// The rejects of one batch as rows, in order. `ids` has one for each of them.
pub(super) fn record_batch(
    target: &Target,
    shard: &Shard,
    rejects: &[Reject],
    ids: impl Iterator<Item = String>,
) -> Result<RecordBatch> {
    let keys = rejects.iter().map(|r| object_key(target, shard, r));
    let text = |f: fn(&Reject) -> Option<&str>| -> ArrayRef {
        Arc::new(rejects.iter().map(f).collect::<StringArray>())
    };
    let same = |value: &str| -> ArrayRef {
        Arc::new(std::iter::repeat_n(Some(value), rejects.len()).collect::<StringArray>())
    };
    let numbers = |f: fn(&Reject) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rejects.iter().map(|r| signed(f(r)))))
    };
    let partition = i32::try_from(shard.source.partition).unwrap_or(i32::MAX);
    let at = target.started.timestamp_micros();
    let columns: Vec<ArrayRef> = vec![
        same(shard.source.topic.as_str()),
        Arc::new(Int32Array::from_value(partition, rejects.len())),
        numbers(|r| r.offset),
        Arc::new(keys.collect::<StringArray>()),
        numbers(|r| r.line),
        text(|r| r.column.as_deref()),
        text(|r| Some(r.code.as_str())),
        text(|r| Some(&r.message)),
        Arc::new(LargeBinaryArray::from_iter_values(rejects.iter().map(|r| &r.raw))),
        same(&target.run_id),
        Arc::new(TimestampMicrosecondArray::from_value(at, rejects.len()).with_timezone("UTC")),
        Arc::new(ids.map(Some).collect::<StringArray>()),
    ];
    let open = schema().fields()[columns.len()..]
        .iter()
        .map(|field| new_null_array(field.data_type(), rejects.len()))
        .collect::<Vec<_>>();
    let columns = columns.into_iter().chain(open).collect();
    RecordBatch::try_new(schema(), columns).map_err(internal)
}

fn object_key(target: &Target, shard: &Shard, reject: &Reject) -> Option<String> {
    let object = shard.objects.get(reject.object as usize)?;
    Some(object.key(&shard.source, &target.layout))
}

/// Kafka's offsets are signed 64-bit; a name may hold more.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
