//! Envelopes: records that come wrapped.
//!
//! `{"value":…}` and `{"records":[{"value":…}]}` are those of Kafka's REST
//! proxy and of Aiven's sink, `{"schema":…,"payload":…}` that of Connect's
//! JsonConverter; JSON inside a JSON string is what StringConverter leaves.

use sonic_rs::{LazyValue, to_array_iter, to_object_iter};

use super::{Bad, Batch, Origin, record};
use crate::code::Code;
use crate::value;

/// Wrappers around wrappers are opened down to this depth.
const LAYERS: usize = 4;

/// How a text is wrapped.
enum Wrapped<'t> {
    /// It is a JSON string that holds a record.
    String(Vec<u8>),
    /// `{"value": …}`
    Value(&'t [u8]),
    /// `{"schema": …, "payload": …}`
    Payload(&'t [u8]),
    /// `{"records": [ … ]}`
    Records(Vec<&'t [u8]>),
}

/// Takes a line's records, opening what they are wrapped in.
pub fn open(batch: &mut Batch<'_>, text: &[u8], origin: Origin) {
    layer(batch, text, origin, LAYERS);
}

fn layer(batch: &mut Batch<'_>, text: &[u8], origin: Origin, left: usize) {
    let Err(bad) = batch.row(text, origin) else { return };
    // Only what is no record by itself is opened: a topic may well have a
    // field named `value`.
    let could_wrap = left > 0 && matches!(bad.code, Code::NoKnownField | Code::NotAnObject);
    let wrapped = if could_wrap { find(text) } else { Ok(None) };
    match wrapped {
        Ok(Some(wrapped)) => unwrap_layer(batch, text, wrapped, origin, left - 1),
        Ok(None) => batch.reject(origin, bad, text),
        Err(bad) => batch.reject(origin, bad, text),
    }
}

fn unwrap_layer(
    batch: &mut Batch<'_>,
    text: &[u8],
    wrapped: Wrapped<'_>,
    origin: Origin,
    left: usize,
) {
    *batch.counts.envelopes.entry(wrapped.kind()).or_default() += 1;
    match wrapped {
        Wrapped::String(inner) => {
            let start = batch.held + batch.unescaped.len();
            batch.unescaped.extend_from_slice(&inner);
            layer(batch, &inner, Origin { start, len: inner.len(), ..origin }, left);
        }
        Wrapped::Value(inner) | Wrapped::Payload(inner) => {
            layer(batch, inner, within(text, inner, origin), left);
        }
        Wrapped::Records(records) => {
            for inner in records {
                layer(batch, inner, within(text, inner, origin), left);
            }
        }
    }
}

impl Wrapped<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Wrapped::String(_) => "string",
            Wrapped::Value(_) => "value",
            Wrapped::Payload(_) => "payload",
            Wrapped::Records(_) => "records",
        }
    }
}

/// The origin of a part of a text.
fn within(text: &[u8], part: &[u8], origin: Origin) -> Origin {
    let shift = record::range_in(text, part).start;
    Origin { start: origin.start + shift, len: part.len(), ..origin }
}

/// How a sound JSON text is wrapped, if it is.
fn find(text: &[u8]) -> Result<Option<Wrapped<'_>>, Bad> {
    match text.first() {
        Some(b'"') => Ok(find_in_string(text)),
        Some(b'{') => find_in_object(text),
        _ => Ok(None),
    }
}

fn find_in_string(text: &[u8]) -> Option<Wrapped<'_>> {
    let inner = value::unescape(std::str::from_utf8(text).ok()?)?;
    let inner = record::trim(inner.as_bytes());
    matches!(inner.first()?, b'{' | b'"').then(|| Wrapped::String(inner.to_owned()))
}

/// A wrapper that is there twice would hide the records of the first.
fn find_in_object(text: &[u8]) -> Result<Option<Wrapped<'_>>, Bad> {
    let (mut value, mut payload, mut records, mut schema) = (None, None, None, false);
    for (key, inner) in to_object_iter(text).filter_map(Result::ok) {
        let found = match key.as_ref() {
            "value" => &mut value,
            "payload" => &mut payload,
            "records" => &mut records,
            other => {
                schema |= other == "schema";
                continue;
            }
        };
        if found.is_some() {
            return Err(Bad::new(Code::DuplicateKey, format!("field {key:?} is there twice")));
        }
        *found = raw(inner);
    }
    Ok(match (records, payload, value) {
        (Some(list), _, _) if list.first() == Some(&b'[') => {
            let records: Option<Vec<_>> = to_array_iter(list).map(|item| raw(item.ok()?)).collect();
            records.filter(|records| !records.is_empty()).map(Wrapped::Records)
        }
        (_, Some(payload), _) if schema => Some(Wrapped::Payload(payload)),
        (_, _, Some(value)) => Some(Wrapped::Value(value)),
        _ => None,
    })
}

/// A value's JSON text, borrowed from the line.
fn raw<'t>(value: LazyValue<'t>) -> Option<&'t [u8]> {
    match value.as_raw_cow() {
        std::borrow::Cow::Borrowed(text) => Some(text.as_bytes()),
        std::borrow::Cow::Owned(_) => None,
    }
}
