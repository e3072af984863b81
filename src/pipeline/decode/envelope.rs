//! Envelopes: records that come wrapped.
//!
//! `{"value":…}` and `{"records":[{"value":…}]}` are those of Kafka's REST
//! proxy and of Aiven's sink, `{"schema":…,"payload":…}` that of Connect's
//! JsonConverter, `{"before":…,"after":…}` a change event of Debezium, `{"Data":…}`
//! a request to Kinesis; JSON inside a JSON string is what StringConverter leaves.
//!
//! What is inside counts if it holds more of the table's fields than the outside.
//! So a topic may have a field of its own that is called `value`, and metadata
//! beside a record may be called like a field of the table.

use sonic_rs::{to_array_iter, to_object_iter};

use self::hollow::hollow;
use self::score::Score;
use super::wrapper::Wrapper;
use super::{Bad, Batch, Origin, record};
use crate::code::Code;
use crate::value;

mod hollow;
mod score;

/// Wrappers around wrappers are opened down to this depth.
const LAYERS: usize = 4;

/// What a text is.
enum Verdict<'t> {
    /// A record, or what is to be rejected as one.
    Record,
    /// An envelope that is to be rejected as a whole.
    Reject(Bad),
    /// An envelope whose records count.
    Envelope(Wrapped<'t>),
}

/// How a text is wrapped.
enum Wrapped<'t> {
    /// It is a JSON string that holds a record.
    String(Vec<u8>),
    /// It is an object with a field that holds records.
    Field(Wrapper, Vec<&'t [u8]>),
}

impl Wrapped<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Wrapped::String(_) => "string",
            Wrapped::Field(wrapper, _) => wrapper.name(),
        }
    }
}

/// Takes a line's records, opening what they are wrapped in.
pub fn open(batch: &mut Batch<'_>, text: &[u8], origin: Origin) {
    layer(batch, text, origin, LAYERS);
}

fn layer(batch: &mut Batch<'_>, text: &[u8], origin: Origin, left: usize) {
    let read = batch.cells.read(text, batch.fields);
    let verdict = match &read {
        Ok(_) => judge(batch, text, left),
        Err(bad) if bad.code == Code::NoKnownField => judge(batch, text, left),
        Err(bad) if bad.code == Code::NotAnObject => judge_string(text, left),
        Err(_) => Verdict::Record,
    };
    match (verdict, read) {
        (Verdict::Envelope(wrapped), _) => unwrap_layer(batch, text, wrapped, origin, left - 1),
        (Verdict::Reject(bad), _) | (Verdict::Record, Err(bad)) => batch.reject(origin, bad, text),
        (Verdict::Record, Ok(text)) => batch.take(text, origin),
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
        Wrapped::Field(_, records) => {
            for inner in records {
                layer(batch, inner, within(text, inner, origin), left);
            }
        }
    }
}

/// The origin of a part of a text.
fn within(text: &[u8], part: &[u8], origin: Origin) -> Origin {
    let shift = record::range_in(text, part).start;
    Origin { start: origin.start + shift, len: part.len(), ..origin }
}

fn judge_string(text: &[u8], left: usize) -> Verdict<'_> {
    match text_inside(text).filter(|_| left > 0) {
        Some(inner) => Verdict::Envelope(Wrapped::String(inner)),
        None => Verdict::Record,
    }
}

/// Returns the text of a JSON string if it may be a record, or a string of one.
fn text_inside(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let inner = value::unescape(std::str::from_utf8(text).ok()?)?;
    let inner = record::trim(inner.as_bytes());
    matches!(inner.first()?, b'{' | b'"').then(|| inner.to_owned())
}

/// Judges an object that is sound, and lies in the cells of the batch.
fn judge<'t>(batch: &Batch<'_>, text: &'t [u8], left: usize) -> Verdict<'t> {
    // Nearly always there is none.
    if batch.cells.wrappers().is_empty() {
        return Verdict::Record;
    }
    let outside = batch.cells.found();
    let object = Object { batch, text, left };
    let verdict = object.verdict(outside);
    let is_record = matches!(verdict, Verdict::Record);
    // A wrapper that is there twice would hide the record of the first.
    match object.twice() {
        Some(name) if !is_record || (outside == 0 && left > 0) => {
            let message = format!("field {name:?} is there twice");
            Verdict::Reject(Bad::new(Code::DuplicateKey, message))
        }
        _ => verdict,
    }
}

/// An object with fields that may wrap a record.
#[derive(Clone, Copy)]
struct Object<'b, 't> {
    batch: &'b Batch<'b>,
    text: &'t [u8],
    left: usize,
}

impl<'t> Object<'_, 't> {
    fn verdict(self, outside: usize) -> Verdict<'t> {
        if let Some(message) = hollow(self.batch.fields, self.text) {
            return Verdict::Reject(Bad::new(Code::NotAnObject, message));
        }
        let Some(left) = self.left.checked_sub(1) else { return Verdict::Record };
        let score = Score { fields: self.batch.fields };
        let inside = |wrapper: Wrapper| {
            self.value(wrapper).map_or(0, |value| score.inside(wrapper, value, left))
        };
        // The first of those that hold the most.
        let opened = Wrapper::ALL.into_iter().filter(|wrapper| *wrapper != Wrapper::Before);
        let best = opened
            .map(|wrapper| (inside(wrapper), wrapper))
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        if let Some((_, wrapper)) = best.filter(|(inside, _)| *inside > outside) {
            return self.opened(wrapper);
        }
        if self.value(Wrapper::After) == Some(&b"null"[..]) && inside(Wrapper::Before) > outside {
            let message = "a change event that deletes a row: its `after` is null";
            return Verdict::Reject(Bad::new(Code::NotAnObject, message));
        }
        match outside {
            0 => self.unknown(),
            _ => Verdict::Record,
        }
    }

    /// Opens an object that has no field of the table, inside or outside, where its
    /// form alone says that it is an envelope: so the record is rejected, not all
    /// that is around it.
    fn unknown(self) -> Verdict<'t> {
        let is_list = |list: &&[u8]| list.first() == Some(&b'[');
        if self.value(Wrapper::Records).is_some_and(|list| is_list(&list)) {
            return self.opened(Wrapper::Records);
        }
        let has_schema = || {
            let mut names = to_object_iter(self.text).map_while(Result::ok);
            names.any(|(name, _)| name == "schema")
        };
        if self.value(Wrapper::Payload).is_some() && has_schema() {
            return self.opened(Wrapper::Payload);
        }
        match self.value(Wrapper::Value) {
            Some(_) => self.opened(Wrapper::Value),
            None => Verdict::Record,
        }
    }

    fn opened(self, wrapper: Wrapper) -> Verdict<'t> {
        let records = self.value(wrapper).map(|value| inner_records(wrapper, value));
        match records.filter(|records| !records.is_empty()) {
            Some(records) => Verdict::Envelope(Wrapped::Field(wrapper, records)),
            None => Verdict::Record,
        }
    }

    /// The value of the first field that is such a wrapper.
    fn value(self, wrapper: Wrapper) -> Option<&'t [u8]> {
        let mut found = self.batch.cells.wrappers().iter();
        let (_, range) = found.find(|(other, _)| *other == wrapper)?;
        self.text.get(range.clone())
    }

    /// The name of a wrapper that is there twice.
    fn twice(self) -> Option<&'static str> {
        let found = self.batch.cells.wrappers();
        let is_twice =
            |wrapper: &Wrapper| found.iter().filter(|(other, _)| other == wrapper).nth(1).is_some();
        Wrapper::ALL.into_iter().find(is_twice).map(Wrapper::name)
    }
}

/// The texts in a wrapper's value: the elements of a list of records, or the value.
fn inner_records(wrapper: Wrapper, value: &[u8]) -> Vec<&[u8]> {
    match value.first() {
        Some(b'[') if wrapper == Wrapper::Records => {
            let elements = to_array_iter(value).map_while(Result::ok);
            elements.map(|element| part(value, element.as_raw_cow().as_bytes())).collect()
        }
        _ => vec![value],
    }
}

/// A part of a text, borrowed from it.
fn part<'t>(whole: &'t [u8], part: &[u8]) -> &'t [u8] {
    whole.get(record::range_in(whole, part)).unwrap_or_default()
}
