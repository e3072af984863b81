//! What the decoder must make of one line, said once more with serde_json and
//! without care for speed.

use std::collections::BTreeMap;

use pinclean::code::Code;
use pinclean::pipeline::decode::NESTING_LIMIT;
use pinclean::spec::{Slot, Spec, Wire};
use serde::de::IgnoredAny;

use crate::envelope::{Verdict, verdict};
use crate::numbers::{float, int};

/// Wrappers around wrappers are opened down to this depth.
pub const LAYERS: usize = 4;

/// What becomes of one record of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// A row: its slots, and the fields that are kept as unknown.
    Row(Vec<Cell>, Vec<(String, String)>),
    /// A reject of a text that is JSON as such.
    Reject(Code),
    /// A reject of a text that is no JSON.
    NoJson,
}

/// One slot of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Text(String),
    Int(i64),
    /// The bits of a double.
    Float(u64),
    Bool(bool),
    Fault(Code),
}

/// Records and what becomes of each; envelopes by kind.
#[derive(Default)]
pub struct Line {
    pub records: Vec<(Vec<u8>, Fate)>,
    pub envelopes: BTreeMap<&'static str, u64>,
}

impl Line {
    /// A line without the white space around it.
    pub fn of(spec: &Spec, text: &[u8]) -> Line {
        let mut line = Line::default();
        line.open(spec, text, LAYERS);
        line
    }

    fn open(&mut self, spec: &Spec, text: &[u8], left: usize) {
        let fate = fate(spec, text);
        match verdict(spec, &fate, text, left) {
            Verdict::Stays => self.records.push((text.to_vec(), fate)),
            Verdict::Reject(code) => self.records.push((text.to_vec(), Fate::Reject(code))),
            Verdict::Wraps(kind, records) => {
                *self.envelopes.entry(kind).or_default() += 1;
                for record in records {
                    self.open(spec, record.as_bytes(), left - 1);
                }
            }
        }
    }
}

/// Whether a text is one JSON value, whole and not too deep.
pub fn is_sound(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    serde_json::from_str::<IgnoredAny>(text).is_ok() && depth(text) <= NESTING_LIMIT
}

fn fate(spec: &Spec, text: &[u8]) -> Fate {
    let Ok(text) = std::str::from_utf8(text) else { return Fate::NoJson };
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Fate::NoJson;
    }
    if depth(text) > NESTING_LIMIT {
        return Fate::Reject(Code::TooDeep);
    }
    if !text.starts_with('{') {
        return Fate::Reject(Code::NotAnObject);
    }
    row(spec, &members(text)).unwrap_or_else(Fate::Reject)
}

fn row(spec: &Spec, members: &[(Option<String>, &str)]) -> Result<Fate, Code> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let mut unknown = Vec::new();
    for (key, value) in members {
        let key = key.as_deref().ok_or(Code::InvalidEscape)?;
        if spec.slots.iter().any(|slot| slot.names.iter().any(|name| name == key)) {
            if known.insert(key, value).is_some() {
                return Err(Code::DuplicateKey);
            }
        } else if !spec.ignore.iter().any(|name| name == key) {
            unknown.push((key.to_owned(), (*value).to_owned()));
        }
    }
    if known.is_empty() {
        return Err(Code::NoKnownField);
    }
    Ok(Fate::Row(spec.slots.iter().map(|slot| cell(slot, &known)).collect(), unknown))
}

fn cell(slot: &Slot, known: &BTreeMap<&str, &str>) -> Cell {
    let first =
        slot.names.iter().find_map(|name| known.get(name.as_str()).filter(|v| **v != "null"));
    let Some(json) = first else { return Cell::Null };
    let text = match json.starts_with('"') {
        true => serde_json::from_str::<String>(json).map_err(|_| Code::InvalidEscape),
        false => Ok((*json).to_owned()),
    };
    let nested = json.starts_with(['{', '[']);
    if text.as_ref().is_ok_and(|text| !nested && slot.nulls.contains(text)) {
        return Cell::Null;
    }
    let cell = match slot.wire {
        Wire::Array if json.starts_with('[') => Ok(Cell::Text((*json).to_owned())),
        Wire::Array => Err(Code::Type),
        _ if nested => Err(Code::Type),
        Wire::Text => text.map(Cell::Text),
        Wire::Bool => text.and_then(|text| match (text.as_str(), int(&text)) {
            ("true", _) | (_, Ok(1)) => Ok(Cell::Bool(true)),
            ("false", _) | (_, Ok(0)) => Ok(Cell::Bool(false)),
            _ => Err(Code::Type),
        }),
        Wire::Int => text.and_then(|text| int(&text)).map(Cell::Int),
        Wire::Float => text.and_then(|text| float(&text)).map(|f| Cell::Float(f.to_bits())),
    };
    cell.unwrap_or_else(Cell::Fault)
}

pub fn unwrap_string(text: &str) -> Option<String> {
    let inner: String = serde_json::from_str(text).ok()?;
    let inner = inner.trim_matches([' ', '\t', '\n', '\r']);
    inner.starts_with(['{', '"']).then(|| inner.to_owned())
}

/// The members of an object that is sound: name and JSON text. A name that is
/// no text, as it holds a lone surrogate, is none.
pub fn members(text: &str) -> Vec<(Option<String>, &str)> {
    elements(text).chunks(2).map(|pair| (serde_json::from_str(pair[0]).ok(), pair[1])).collect()
}

/// The JSON texts between the brackets of a sound array or object.
pub fn elements(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = &text[1..];
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
        if rest.starts_with([']', '}']) {
            return parts;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next().expect("a value").expect("a sound value");
        let end = values.byte_offset();
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
}

/// How deep a sound text is nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0, 0);
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => drop(bytes.next()),
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
