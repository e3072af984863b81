//! What a field is → the column that it becomes.

use super::field::Field;
use super::placeholder::{is_marker, looks_empty};
use super::values::{Fit, Kind, Values};
use crate::spec::time::ISO_TIMESTAMPS;
use crate::spec::{Scalar, Type};

/// A column for a field.
#[derive(Debug, PartialEq)]
pub struct Guess {
    /// The type that the values have, but for a few.
    pub ty: Type,
    /// Texts that must be null for the others to have the type, and the empty
    /// text: null in every column that has text rules, as in the shipped files.
    pub null_values: Vec<String>,
    /// Texts that look as if they meant null, but for the empty one.
    pub maybe_null: Vec<String>,
    /// Whether numbers have suffixes.
    pub suffixes: bool,
    /// Formats of times: those that were seen come first.
    pub formats: Vec<&'static str>,
}

/// The column for a field; none if no type of a column holds most of its values.
pub fn guess(field: &Field) -> Option<Guess> {
    if field.name.is_empty() || field.nested * 2 > field.filled() {
        return None;
    }
    if field.arrays > 0 && field.arrays * 2 >= field.filled() {
        return Some(list(&field.elements));
    }
    Some(scalar(&field.scalars))
}

fn scalar(values: &Values) -> Guess {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| holds(values.fit(*kind), values.count))
    else {
        return text(values);
    };
    let rest = values.fit(kind).rest.iter();
    // A text that is there once is more likely wrong than a way to say null.
    let nulls = rest.filter(|(text, count)| looks_empty(text) || **count > 1);
    let nulls = nulls.map(|(text, _)| text.clone()).filter(|text| !text.is_empty());
    Guess {
        ty: Type::Scalar(of(kind, values)),
        null_values: std::iter::once(String::new()).chain(nulls).collect(),
        maybe_null: Vec::new(),
        suffixes: is_number(kind) && !values.suffixes.is_empty(),
        formats: formats(kind, values),
    }
}

/// Whether a type is the one of these values: all of them, or all but some that
/// stand for no value, or all but a few.
fn holds(fit: &Fit, count: u64) -> bool {
    if fit.fit == 0 || fit.hopeless {
        return false;
    }
    let rest: u64 = fit.rest.values().sum();
    let all_empty = fit.rest.keys().all(|text| looks_empty(text));
    rest == 0 || (all_empty && fit.fit * 4 >= count) || rest * 20 <= count
}

fn text(values: &Values) -> Guess {
    let empty = |(text, count): &(&String, &u64)| {
        !text.is_empty() && looks_empty(text) && (is_marker(text) || **count > 1)
    };
    Guess {
        ty: Type::Scalar(Scalar::String),
        null_values: vec![String::new()],
        maybe_null: values.texts.iter().filter(empty).map(|(text, _)| text.clone()).collect(),
        suffixes: false,
        formats: Vec::new(),
    }
}

/// Only formats apply to the elements of a list.
fn list(elements: &Values) -> Guess {
    let kind = Kind::ALL.into_iter().find(|kind| {
        let Fit { fit, rest, hopeless } = elements.fit(*kind);
        *fit > 0 && !hopeless && rest.is_empty()
    });
    let kind = kind.filter(|kind| !is_number(*kind) || elements.suffixes.is_empty());
    Guess {
        ty: Type::List(kind.map_or(Scalar::String, |kind| of(kind, elements))),
        null_values: Vec::new(),
        maybe_null: Vec::new(),
        suffixes: false,
        formats: kind.map_or_else(Vec::new, |kind| formats(kind, elements)),
    }
}

fn of(kind: Kind, values: &Values) -> Scalar {
    let narrow = |value: i64| i32::try_from(value).is_ok();
    match kind {
        Kind::Timestamp => Scalar::Timestamp,
        Kind::Date => Scalar::Date,
        Kind::Bool => Scalar::Bool,
        Kind::Int if values.ints.is_some_and(|(min, max)| narrow(min) && narrow(max)) => {
            Scalar::Int32
        }
        Kind::Int => Scalar::Int64,
        Kind::Float => Scalar::Float64,
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Float)
}

/// The formats that were seen, the most frequent first; after one of ISO 8601
/// its other spellings, which other senders use.
fn formats(kind: Kind, values: &Values) -> Vec<&'static str> {
    if kind != Kind::Timestamp {
        return Vec::new();
    }
    let mut seen: Vec<_> = values.formats.iter().map(|(format, count)| (*count, *format)).collect();
    seen.sort_by(|a, b| b.cmp(a));
    let mut formats: Vec<_> = seen.into_iter().map(|(_, format)| format).collect();
    if formats.iter().any(|format| ISO_TIMESTAMPS.contains(format)) {
        let others = ISO_TIMESTAMPS.into_iter().filter(|other| !values.formats.contains_key(other));
        formats.extend(others);
    }
    formats
}
