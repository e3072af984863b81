//! Where each row came from, as columns: what `unique_by` orders records by.

use polars::prelude::*;

use crate::pipeline::decode::DecodedBatch;
use crate::spec::{KAFKA_OFFSET, KAFKA_PARTITION, KAFKA_TOPIC};

/// Topic, Kafka partition and offset of each row. Kafka's numbers are signed; a
/// name may hold greater ones, which become the greatest.
pub fn columns(batch: &DecodedBatch) -> [Column; 3] {
    let (source, rows) = (&batch.raw.shard.source, &batch.rows);
    let same = |name: &str, value: Scalar| Column::new_scalar(name.into(), value, rows.len());
    let partition = i32::try_from(source.partition).unwrap_or(i32::MAX);
    let offsets = rows.iter().map(|row| i64::try_from(row.offset).unwrap_or(i64::MAX));
    [
        same(KAFKA_TOPIC, Scalar::from(PlSmallStr::from_str(source.topic.as_str()))),
        same(KAFKA_PARTITION, Scalar::from(partition)),
        Column::new(KAFKA_OFFSET.into(), offsets.collect::<Vec<i64>>()),
    ]
}
