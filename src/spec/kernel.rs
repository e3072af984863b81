//! The text rules of one column, run over a whole column of text.
//!
//! One pass does what would be several expressions: each text goes through its
//! rules to a value, and a [`Note`] says what happened to it on the way.

use polars::prelude::*;
use sonic_rs::to_array_iter;

use super::note::{Note, Step};
use super::{Scalar, TextRules, Type};
use crate::code::Code;
use crate::value::{self, Clock};

/// The text rules of one column, ready to run.
#[derive(Debug)]
pub struct Kernel {
    rules: TextRules,
    ty: Type,
    clock: Clock,
}

impl Kernel {
    /// The rules of a column of type `ty`.
    pub fn new(rules: &TextRules, ty: Type) -> Kernel {
        Kernel { rules: rules.clone(), ty, clock: Clock::new(&rules.formats) }
    }

    /// The type of the values.
    pub fn dtype(&self) -> DataType {
        dtype(self.ty)
    }

    /// Runs the rules: the values, and a note a row. A text that is wrong
    /// becomes null, with the fault in its note.
    pub fn run(&self, texts: &StringChunked) -> PolarsResult<(Series, Vec<u32>)> {
        match self.ty {
            Type::Scalar(scalar) => Ok(self.scalars(texts.iter(), texts.len(), scalar)),
            Type::List(scalar) => self.lists(texts, scalar),
        }
    }

    fn scalars<'t>(
        &self,
        texts: impl Iterator<Item = Option<&'t str>>,
        count: usize,
        scalar: Scalar,
    ) -> (Series, Vec<u32>) {
        let name = PlSmallStr::EMPTY;
        match scalar {
            Scalar::String => {
                let mut out = StringChunkedBuilder::new(name, count);
                let notes = self.each(texts, |text, _| {
                    out.append_option(text);
                    Ok(())
                });
                (out.finish().into_series(), notes)
            }
            Scalar::Int32 => {
                let (values, notes) = self.values(texts, count, |text| {
                    let wide = value::suffixed_int(text, &self.rules.suffixes)?;
                    i32::try_from(wide).map_err(|_| Code::Overflow)
                });
                (Int32Chunked::from_iter_options(name, values.into_iter()).into_series(), notes)
            }
            Scalar::Int64 => {
                let (values, notes) = self
                    .values(texts, count, |text| value::suffixed_int(text, &self.rules.suffixes));
                (Int64Chunked::from_iter_options(name, values.into_iter()).into_series(), notes)
            }
            Scalar::Float64 => {
                let (values, notes) = self
                    .values(texts, count, |text| value::suffixed_float(text, &self.rules.suffixes));
                (Float64Chunked::from_iter_options(name, values.into_iter()).into_series(), notes)
            }
            Scalar::Bool => {
                let (values, notes) = self.values(texts, count, value::boolean);
                (BooleanChunked::from_iter_options(name, values.into_iter()).into_series(), notes)
            }
            Scalar::Timestamp => {
                let (values, notes) = self.values(texts, count, |text| self.clock.timestamp(text));
                let micros = Int64Chunked::from_iter_options(name, values.into_iter());
                (micros.into_datetime(TimeUnit::Microseconds, None).into_series(), notes)
            }
            Scalar::Date => {
                let (values, notes) =
                    self.values(texts, count, |text| value::date(text, &self.rules.formats));
                let days = Int32Chunked::from_iter_options(name, values.into_iter());
                (days.into_date().into_series(), notes)
            }
        }
    }

    fn values<'t, T>(
        &self,
        texts: impl Iterator<Item = Option<&'t str>>,
        count: usize,
        read: impl Fn(&str) -> Result<T, Code>,
    ) -> (Vec<Option<T>>, Vec<u32>) {
        let mut values = Vec::with_capacity(count);
        let notes = self.each(texts, |text, note| match text.map(&read).transpose() {
            Ok(value) => {
                let suffixed = text.is_some_and(|text| {
                    !self.rules.suffixes.is_empty() && !text.ends_with(|c: char| c.is_ascii_digit())
                });
                if suffixed {
                    note.did(Step::Expand);
                }
                values.push(value);
                Ok(())
            }
            Err(code) => {
                values.push(None);
                Err(code)
            }
        });
        (values, notes)
    }

    /// Takes each text through the rules and hands it to `take`.
    fn each<'t>(
        &self,
        texts: impl Iterator<Item = Option<&'t str>>,
        mut take: impl FnMut(Option<&str>, &mut Note) -> Result<(), Code>,
    ) -> Vec<u32> {
        let one = |text: Option<&'t str>| {
            let mut note = Note::default();
            let taken = match text {
                None => take(None, &mut note),
                Some(text) => self.edit(text, &mut note, &mut take),
            };
            if let Err(code) = taken {
                note.fault(code);
            }
            note.bits()
        };
        texts.map(one).collect()
    }

    fn edit(
        &self,
        text: &str,
        note: &mut Note,
        take: &mut impl FnMut(Option<&str>, &mut Note) -> Result<(), Code>,
    ) -> Result<(), Code> {
        let rules = &self.rules;
        let mut text = text;
        if rules.trim {
            text = note.changed(Step::Trim, text, text.trim());
        }
        if let Some(rule) = self.null_rule(text) {
            note.nulled(rule);
            return take(None, note);
        }
        if let Some(prefix) = &rules.strip_prefix {
            text = note.changed(
                Step::StripPrefix,
                text,
                text.strip_prefix(prefix.as_str()).unwrap_or(text),
            );
        }
        if let Some(suffix) = &rules.strip_suffix {
            text = note.changed(
                Step::StripSuffix,
                text,
                text.strip_suffix(suffix.as_str()).unwrap_or(text),
            );
        }
        if rules.replace.is_empty() {
            return take(Some(text), note);
        }
        let mut replaced = std::borrow::Cow::Borrowed(text);
        for rule in &rules.replace {
            if let std::borrow::Cow::Owned(next) =
                rule.pattern.replace_all(&replaced, rule.with.as_str())
            {
                replaced = next.into();
                note.did(Step::Replace);
            }
        }
        take(Some(&replaced), note)
    }

    /// The number of the rule that makes a text null: exact texts first.
    fn null_rule(&self, text: &str) -> Option<usize> {
        let exact = self.rules.null_values.iter().position(|value| value == text);
        exact.or_else(|| {
            let at = self.rules.null_patterns.iter().position(|p| p.is_match(text))?;
            Some(self.rules.null_values.len() + at)
        })
    }

    /// JSON arrays → lists. A row's note sums up those of its elements.
    fn lists(&self, arrays: &StringChunked, scalar: Scalar) -> PolarsResult<(Series, Vec<u32>)> {
        let mut elements: Vec<Option<String>> = Vec::new();
        let mut rows: Vec<Result<Option<std::ops::Range<usize>>, Code>> = Vec::new();
        for array in arrays.iter() {
            let start = elements.len();
            rows.push(match array.map(|array| flatten(array, &mut elements)).transpose() {
                Ok(found) => Ok(found.map(|()| start..elements.len())),
                Err(code) => {
                    elements.truncate(start);
                    Err(code)
                }
            });
        }
        let count = elements.len();
        let (flat, flat_notes) = self.scalars(elements.iter().map(Option::as_deref), count, scalar);
        let mut notes = Vec::with_capacity(rows.len());
        let mut lists: Vec<Option<Series>> = Vec::with_capacity(rows.len());
        for row in rows {
            let mut note = Note::default();
            lists.push(match row {
                Ok(None) => None,
                Ok(Some(range)) => {
                    flat_notes[range.clone()]
                        .iter()
                        .for_each(|bits| note.merge(Note::from_bits(*bits)));
                    let list = flat.slice(range.start as i64, range.len());
                    note.code().is_none().then_some(list)
                }
                Err(code) => {
                    note.fault(code);
                    None
                }
            });
            notes.push(note.bits());
        }
        let lists: ListChunked = lists.into_iter().collect();
        Ok((lists.into_series().cast(&self.dtype())?, notes))
    }
}

/// The elements of a JSON array, as text; `None` for null.
fn flatten(array: &str, elements: &mut Vec<Option<String>>) -> Result<(), Code> {
    for element in to_array_iter(array) {
        let element = element.map_err(|_| Code::Type)?;
        let json = element.as_raw_str().trim_ascii();
        elements.push(match json.as_bytes().first() {
            Some(b'n') => None,
            Some(b'"') => Some(value::unescape(json).ok_or(Code::InvalidEscape)?.into_owned()),
            Some(b'{' | b'[') | None => return Err(Code::Type),
            Some(_) => Some(json.to_owned()),
        });
    }
    Ok(())
}

/// The Polars type of a column's type. Timestamps carry no zone in here: they
/// are UTC throughout.
pub fn dtype(ty: Type) -> DataType {
    match ty {
        Type::Scalar(scalar) => scalar_dtype(scalar),
        Type::List(scalar) => DataType::List(Box::new(scalar_dtype(scalar))),
    }
}

fn scalar_dtype(scalar: Scalar) -> DataType {
    match scalar {
        Scalar::Int32 => DataType::Int32,
        Scalar::Int64 => DataType::Int64,
        Scalar::Float64 => DataType::Float64,
        Scalar::String => DataType::String,
        Scalar::Bool => DataType::Boolean,
        Scalar::Timestamp => DataType::Datetime(TimeUnit::Microseconds, None),
        Scalar::Date => DataType::Date,
    }
}
