//! Where the values of one record lie, by slot.

use std::ops::Range;

use super::fields::{Field, Fields, NameId, START};
use super::wrapper::Wrapper;
use super::{Bad, record, scan};

/// The raw values of one record, by slot.
pub struct Cells {
    places: Vec<Place>,
    /// For each known field, the record that last had it.
    seen: Vec<u64>,
    /// For each known field, whether it was null in some record.
    nulls: Vec<bool>,
    /// The record's number.
    record: u64,
    /// Unknown fields of the record: counter, name if it is kept, and value.
    strays: Vec<(usize, String, Range<usize>)>,
    /// Fields that may wrap a record, and their values. The walk leaves every
    /// record to the judge in which one of them could do so.
    wrappers: Vec<(Wrapper, Range<usize>)>,
    /// Known fields of the record. Only the judge counts them.
    found: usize,
}

/// Where a value lies in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    start: usize,
    end: usize,
    /// The rank of its name among those of its slot.
    rank: u32,
    /// Whether it is a string that is known to have no escape.
    plain: bool,
}

impl Place {
    /// A place of which no value can be worse.
    const NOWHERE: Place = Place { start: 0, end: 0, rank: u32::MAX, plain: false };

    /// A value that lies there; `plain` if it is known to be a string without an
    /// escape.
    #[inline]
    pub fn of(range: Range<usize>, plain: bool) -> Place {
        Place { start: range.start, end: range.end, rank: 0, plain }
    }
}

/// A value as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'t> {
    /// The text, without white space around it.
    pub json: &'t str,
    /// Whether it is a string that is known to have no escape.
    pub plain: bool,
}

impl Cells {
    /// Cells for records with these fields.
    pub fn new(fields: &Fields) -> Cells {
        Cells {
            places: vec![Place::NOWHERE; fields.slots],
            seen: vec![0; fields.known()],
            nulls: vec![false; fields.known()],
            record: 0,
            strays: Vec::new(),
            wrappers: Vec::new(),
            found: 0,
        }
    }

    /// Reads one record that is the whole text. On an error the cells mean nothing.
    pub fn read<'t>(&mut self, text: &'t [u8], fields: &mut Fields) -> Result<&'t str, Bad> {
        if let Ok(text) = std::str::from_utf8(text)
            && self.walk(text, fields) == Some(text.len())
        {
            return Ok(text);
        }
        self.clear();
        record::read(self, text, fields)
    }

    /// Reads the record at the start of a text, in one pass, and gives its length.
    ///
    /// It takes what writers of JSON put out: one object on one line, with at
    /// least one known field, none of them twice, no name with an escape, and no
    /// field that could wrap a record. What it takes is sound, and read as
    /// [`record::read`] does. Anything else is `None`, which says nothing about the
    /// text, and leaves the cells without meaning.
    pub fn walk(&mut self, text: &str, fields: &mut Fields) -> Option<usize> {
        self.clear();
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'{') {
            return None;
        }
        let (mut any, mut name, mut at) = (false, START, 1);
        loop {
            let quote = scan::blank(bytes, at);
            (name, at) = match fields.expected(name, bytes, quote) {
                Some((next, end)) => (next, scan::blank(bytes, end)),
                None => other_name(text, quote, name, fields)?,
            };
            let (end, plain) = scan::value(bytes, at)?;
            match fields.field(name) {
                Field::Known(known) => {
                    any = true;
                    let place = (bytes[at] != b'n').then(|| Place::of(at..end, plain));
                    if !self.known(known, place, fields) {
                        return None;
                    }
                }
                Field::Ignored => {}
                Field::Wrapper(_, wrapper) if wrapper.may_hold(&bytes[at..end]) => return None,
                Field::Unknown(counter) | Field::Wrapper(counter, _) => {
                    let name = if fields.keep_unknown { name_at(text, quote)? } else { "" };
                    self.stray(counter, name, at..end, fields);
                }
            }
            at = scan::blank(bytes, end);
            match bytes.get(at)? {
                b',' => at += 1,
                b'}' => return any.then_some(at + 1),
                _ => return None,
            }
        }
    }

    fn clear(&mut self) {
        self.places.fill(Place::NOWHERE);
        self.strays.clear();
        self.wrappers.clear();
        self.found = 0;
        self.record += 1;
    }

    /// Counts a known field.
    pub fn count_found(&mut self) {
        self.found += 1;
    }

    /// Known fields of a record that the judge read.
    pub fn found(&self) -> usize {
        self.found
    }

    /// Takes a field that may wrap a record.
    pub fn wrap(&mut self, wrapper: Wrapper, value: Range<usize>) {
        self.wrappers.push((wrapper, value));
    }

    /// The fields of the record that may wrap another one, and their values.
    pub fn wrappers(&self) -> &[(Wrapper, Range<usize>)] {
        &self.wrappers
    }

    /// Takes the value of a known field; none is null. Whether the record had not
    /// had the field before.
    #[inline]
    pub fn known(&mut self, known: usize, place: Option<Place>, fields: &Fields) -> bool {
        if std::mem::replace(&mut self.seen[known], self.record) == self.record {
            return false;
        }
        let Some(place) = place else {
            self.nulls[known] = true;
            return true;
        };
        for target in fields.targets(known) {
            let cell = &mut self.places[target.slot];
            if target.rank < cell.rank {
                *cell = Place { rank: target.rank, ..place };
            }
        }
        true
    }

    /// Returns the slots of fields that were null in some record.
    pub fn null_slots(&self, fields: &Fields) -> impl Iterator<Item = usize> {
        let null = self.nulls.iter().enumerate().filter(|(_, is_null)| **is_null);
        null.flat_map(|(known, _)| fields.targets(known)).map(|target| target.slot)
    }

    /// Takes an unknown field.
    pub fn stray(&mut self, counter: usize, name: &str, value: Range<usize>, fields: &Fields) {
        let name = if fields.keep_unknown { name.to_owned() } else { String::new() };
        self.strays.push((counter, name, value));
    }

    /// Counts the unknown fields of a record that became a row.
    #[inline]
    pub fn count_unknown(&self, fields: &mut Fields) {
        for (counter, ..) in &self.strays {
            fields.count_unknown(*counter);
        }
    }

    /// A slot's value in its record; `None` if the record has none, or null.
    #[inline]
    pub fn value<'t>(&self, slot: usize, text: &'t str) -> Option<Value<'t>> {
        let Place { start, end, plain, .. } = self.places[slot];
        (end > 0).then(|| Value { json: &text[start..end], plain })
    }

    /// The unknown fields, as one JSON object's text; `None` if there are none.
    pub fn unknown(&self, text: &str) -> Option<String> {
        if self.strays.is_empty() {
            return None;
        }
        let fields = self.strays.iter().map(|(_, name, range)| {
            let name = serde_json::Value::from(name.as_str());
            format!("{name}:{}", &text[range.clone()])
        });
        Some(format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
    }
}

/// A name that was not expected, and where its value begins.
#[inline(never)]
fn other_name(
    text: &str,
    quote: usize,
    before: NameId,
    fields: &mut Fields,
) -> Option<(NameId, usize)> {
    let name = name_at(text, quote)?;
    let value = scan::colon(text.as_bytes(), quote + name.len() + 2)?;
    Some((fields.find(before, name), value))
}

/// The name whose opening quote is at `quote`, if it has no escape.
fn name_at(text: &str, quote: usize) -> Option<&str> {
    let (end, plain) = scan::string(text.as_bytes(), quote)?;
    plain.then(|| &text[quote + 1..end - 1])
}

#[cfg(test)]
mod tests;
