//! The text rules of one column, run over a whole column of text.
//!
//! One pass does what would be several expressions: each text goes through its
//! rules to a value, and a [`Note`] says what happened to it on the way. Texts
//! are views into the batch's bytes: a rule moves a view, and copies nothing.

mod lists;
mod nulls;
mod texts;

use std::borrow::Cow;

use polars::prelude::*;
use polars_arrow::array::{BooleanArray, Utf8ViewArray};
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};
use polars_arrow::datatypes::ArrowDataType;

use super::note::{Note, Step};
use super::{Scalar, TextRules, Type};
use crate::code::Code;
use crate::value::{self, Clock};
use nulls::NullRules;

/// The text rules of one column, ready to run.
#[derive(Debug)]
pub struct Kernel {
    rules: TextRules,
    nulls: NullRules,
    ty: Type,
    clock: Clock,
}

/// Values, where they are some, and a note a row.
struct Values<T> {
    values: Vec<T>,
    validity: Option<Bitmap>,
    notes: Vec<u32>,
}

impl Kernel {
    /// The rules of a column of type `ty`.
    pub fn new(rules: &TextRules, ty: Type) -> Kernel {
        let clock = Clock::new(&rules.formats);
        Kernel { rules: rules.clone(), nulls: NullRules::new(rules), ty, clock }
    }

    /// The type of the values.
    pub fn dtype(&self) -> DataType {
        dtype(self.ty)
    }

    /// Runs the rules: the values, and a note a row. A text that is wrong
    /// becomes null, with the fault in its note.
    ///
    /// # Errors
    /// If Polars refuses, which it has no cause to.
    pub fn run(&self, texts: &StringChunked) -> PolarsResult<(Series, Vec<u32>)> {
        let texts = texts.rechunk();
        match self.ty {
            Type::Scalar(scalar) => self.scalars(texts.downcast_as_array(), scalar),
            Type::List(scalar) => self.lists(texts.downcast_as_array(), scalar),
        }
    }

    fn scalars(&self, texts: &Utf8ViewArray, to: Scalar) -> PolarsResult<(Series, Vec<u32>)> {
        let (name, suffixes) = (PlSmallStr::EMPTY, &self.rules.suffixes);
        Ok(match to {
            Scalar::String => {
                let (texts, notes) = self.texts(texts)?;
                (StringChunked::with_chunk(name, texts).into_series(), notes)
            }
            Scalar::Int32 => {
                let read = |text: &str| {
                    let wide = value::suffixed_int(text, suffixes)?;
                    i32::try_from(wide).map_err(|_| Code::Overflow)
                };
                let Values { values, validity, notes } = self.values(texts, read);
                (Int32Chunked::from_vec_validity(name, values, validity).into_series(), notes)
            }
            Scalar::Int64 => {
                let Values { values, validity, notes } =
                    self.values(texts, |text| value::suffixed_int(text, suffixes));
                (Int64Chunked::from_vec_validity(name, values, validity).into_series(), notes)
            }
            Scalar::Float64 => {
                let Values { values, validity, notes } =
                    self.values(texts, |text| value::suffixed_float(text, suffixes));
                (Float64Chunked::from_vec_validity(name, values, validity).into_series(), notes)
            }
            Scalar::Bool => {
                let Values { values, validity, notes } = self.values(texts, value::boolean);
                let bits = Bitmap::from_iter(values);
                let array = BooleanArray::try_new(ArrowDataType::Boolean, bits, validity)?;
                (BooleanChunked::with_chunk(name, array).into_series(), notes)
            }
            Scalar::Timestamp => {
                let Values { values, validity, notes } =
                    self.values(texts, |text| self.clock.timestamp(text));
                let micros = Int64Chunked::from_vec_validity(name, values, validity);
                (micros.into_datetime(TimeUnit::Microseconds, None).into_series(), notes)
            }
            Scalar::Date => {
                let Values { values, validity, notes } =
                    self.values(texts, |text| self.clock.date(text));
                let days = Int32Chunked::from_vec_validity(name, values, validity);
                (days.into_date().into_series(), notes)
            }
        })
    }

    fn values<T: Copy + Default>(
        &self,
        texts: &Utf8ViewArray,
        read: impl Fn(&str) -> Result<T, Code>,
    ) -> Values<T> {
        let mut values = Vec::with_capacity(texts.len());
        let mut notes = Vec::with_capacity(texts.len());
        let mut validity = BitmapBuilder::with_capacity(texts.len());
        for text in texts.iter() {
            let mut note = Note::default();
            let value = text.and_then(|text| self.value(text, &read, &mut note));
            values.push(value.unwrap_or_default());
            validity.push(value.is_some());
            notes.push(note.bits());
        }
        Values { values, validity: validity.into_opt_validity(), notes }
    }

    fn value<T>(
        &self,
        text: &str,
        read: impl Fn(&str) -> Result<T, Code>,
        note: &mut Note,
    ) -> Option<T> {
        let text = self.edit(text, note)?;
        match read(&text) {
            Ok(value) => {
                let suffixes = &self.rules.suffixes;
                if !suffixes.is_empty()
                    && !text.ends_with(|c: char| c.is_ascii_digit())
                    && value::has_suffix(&text, suffixes)
                {
                    note.did(Step::Expand);
                }
                Some(value)
            }
            Err(code) => {
                note.fault(code);
                None
            }
        }
    }

    /// Takes a text through the rules; nothing is left of one that means null.
    /// What is borrowed is a part of the text.
    fn edit<'t>(&self, text: &'t str, note: &mut Note) -> Option<Cow<'t, str>> {
        let rules = &self.rules;
        let mut text = text;
        if rules.trim {
            text = note.changed(Step::Trim, text, text.trim());
        }
        if let Some(rule) = self.nulls.rule(text) {
            note.nulled(rule);
            return None;
        }
        if let Some(prefix) = &rules.strip_prefix {
            let rest = text.strip_prefix(prefix.as_str()).unwrap_or(text);
            text = note.changed(Step::StripPrefix, text, rest);
        }
        if let Some(suffix) = &rules.strip_suffix {
            let rest = text.strip_suffix(suffix.as_str()).unwrap_or(text);
            text = note.changed(Step::StripSuffix, text, rest);
        }
        let mut replaced = Cow::Borrowed(text);
        for rule in &rules.replace {
            if let Cow::Owned(next) = rule.pattern.replace_all(&replaced, rule.with.as_str()) {
                replaced = next.into();
                note.did(Step::Replace);
            }
        }
        Some(replaced)
    }

    /// Whether the rules do nothing to a text but make it null.
    fn only_nulls(&self) -> bool {
        let rules = &self.rules;
        let strips = rules.strip_prefix.is_some() || rules.strip_suffix.is_some();
        !rules.trim && !strips && rules.replace.is_empty()
    }
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
