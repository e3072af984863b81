//! Envelopes that hold no record: what a sink writes for a Kafka message without a
//! value.
//!
//! Such an envelope must not become a row of nulls, with its timestamp for the one
//! of a record. It is recognised only if it consists of nothing but metadata.

use sonic_rs::to_object_iter;

use super::super::fields::{Field, Fields};
use super::super::record;
use super::super::wrapper::Wrapper;
use super::{LAYERS, inner_records, part};

/// What envelopes have beside their record.
const METADATA: [&str; 17] = [
    "key",
    "timestamp",
    "timestampType",
    "timestamp_type",
    "offset",
    "partition",
    "topic",
    "headers",
    "schema",
    "key_schema",
    "value_schema",
    "key_schema_id",
    "value_schema_id",
    "PartitionKey",
    "SequenceNumber",
    "ApproximateArrivalTimestamp",
    "StreamName",
];

/// Metadata that no record has by chance, unless a column reads it.
const EVIDENCE: [&str; 7] =
    ["key", "offset", "partition", "headers", "schema", "PartitionKey", "SequenceNumber"];

/// Returns why an object is an envelope without a record; `None` if it is not one.
pub fn hollow(fields: &Fields, text: &[u8]) -> Option<String> {
    let wrapper = hollow_wrapper(fields, text, LAYERS)?;
    let name = wrapper.name();
    Some(format!("the envelope holds no record: its `{name}` is null or empty"))
}

/// The wrapper of an envelope that holds nothing. The text must be sound.
fn hollow_wrapper(fields: &Fields, text: &[u8], left: usize) -> Option<Wrapper> {
    let (mut hollow, mut has_evidence) = (None, false);
    // Most records end this at their first field.
    for (name, value) in to_object_iter(text).map_while(Result::ok) {
        let meaning = fields.meaning(&name);
        match meaning {
            Some(Field::Wrapper(_, Wrapper::After | Wrapper::Before)) => return None,
            Some(Field::Wrapper(_, wrapper)) => {
                let value = part(text, value.as_raw_cow().as_bytes());
                has_evidence |= holds_nothing(fields, wrapper, value, left)?;
                hollow.get_or_insert(wrapper);
            }
            _ if METADATA.contains(&name.as_ref()) => {
                let is_read = matches!(meaning, Some(Field::Known(_)));
                has_evidence |= !is_read && EVIDENCE.contains(&name.as_ref());
            }
            _ => return None,
        }
    }
    hollow.filter(|_| has_evidence)
}

/// Returns `None` if a wrapper's value is something, else whether an envelope that
/// holds no record is in it, which is evidence by itself.
fn holds_nothing(fields: &Fields, wrapper: Wrapper, value: &[u8], left: usize) -> Option<bool> {
    let mut has_evidence = false;
    for inner in inner_records(wrapper, value) {
        match inner {
            b"null" | b"\"\"" => {}
            [b'{', rest @ ..] if record::trim(rest) == b"}" => {}
            [b'{', ..] => {
                hollow_wrapper(fields, inner, left.checked_sub(1)?)?;
                has_evidence = true;
            }
            _ => return None,
        }
    }
    Some(has_evidence)
}
