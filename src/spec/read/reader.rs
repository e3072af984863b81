//! A typed reader of one TOML table that knows which keys may stand in it.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::found::{Found, Span};
use super::literal::Literal;
use crate::code::Code;
use crate::near::hint;
use crate::spec::RangeBound;
use crate::value;

/// One TOML table under reading.
pub(crate) struct Reader<'t, 'i> {
    table: &'t DeTable<'i>,
    span: Span,
}

/// A kind of value: what it is called and how it is taken.
struct Kind<T> {
    name: &'static str,
    take: fn(&DeValue<'_>) -> Option<T>,
}

const STRING: Kind<String> =
    Kind { name: "a string", take: |value| value.as_str().map(str::to_owned) };
const BOOL: Kind<bool> = Kind { name: "true or false", take: |value| value.as_bool() };
const INTEGER: Kind<i64> = Kind { name: "an integer", take: integer };
const LITERAL: Kind<Literal> =
    Kind { name: "a string, number, boolean, time or array", take: Literal::read };
const NUMBER: Kind<RangeBound> = Kind { name: "a number", take: bound };

impl<'t, 'i> Reader<'t, 'i> {
    /// Reports every key of the table that is not known.
    pub(crate) fn new(
        table: &'t DeTable<'i>,
        span: Span,
        known: &[&'static str],
        found: &mut Found,
    ) -> Reader<'t, 'i> {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref();
            let hint = hint(name, known.iter().copied());
            found.add(&key.span(), format!("unknown key `{name}`{hint}"));
        }
        Reader { table, span }
    }

    /// A table in which any key may stand.
    pub(crate) fn open(table: &'t DeTable<'i>, span: Span) -> Reader<'t, 'i> {
        Reader { table, span }
    }

    /// The keys that are there, and where.
    pub(crate) fn keys(&self) -> BTreeMap<String, Span> {
        self.table.keys().map(|key| (key.get_ref().to_string(), key.span())).collect()
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn require(&self, key: &str, found: &mut Found) {
        if !found.broken && self.table.get(key).is_none() {
            found.add(&self.span, format!("`{key}` is missing"));
        }
    }

    pub(crate) fn string(&self, key: &str, found: &mut Found) -> Option<Spanned<String>> {
        self.scalar(key, &STRING, found)
    }

    pub(crate) fn bool(&self, key: &str, found: &mut Found) -> Option<Spanned<bool>> {
        self.scalar(key, &BOOL, found)
    }

    pub(crate) fn integer(&self, key: &str, found: &mut Found) -> Option<Spanned<i64>> {
        self.scalar(key, &INTEGER, found)
    }

    pub(crate) fn number(&self, key: &str, found: &mut Found) -> Option<Spanned<RangeBound>> {
        self.scalar(key, &NUMBER, found)
    }

    /// Any value but a table.
    pub(crate) fn literal(&self, key: &str, found: &mut Found) -> Option<Spanned<Literal>> {
        literal(key, self.table.get(key)?, found)
    }

    /// Every key with its value.
    pub(crate) fn literals(&self, found: &mut Found) -> Vec<(Spanned<String>, Spanned<Literal>)> {
        let entry = |(key, value): (&Spanned<_>, _)| {
            let name: Spanned<String> = owned(key);
            literal(name.get_ref(), value, found).map(|value| (name.clone(), value))
        };
        self.table.iter().filter_map(entry).collect()
    }

    /// Every key with its integer.
    pub(crate) fn integers(&self, found: &mut Found) -> Vec<(Spanned<String>, Spanned<i64>)> {
        let entry = |(key, value): (&Spanned<_>, _)| {
            let name: Spanned<String> = owned(key);
            take(name.get_ref(), value, &INTEGER, found).map(|value| (name.clone(), value))
        };
        self.table.iter().filter_map(entry).collect()
    }

    /// Every key with its string.
    pub(crate) fn texts(&self, found: &mut Found) -> Vec<(Spanned<String>, Spanned<String>)> {
        let entry = |(key, value): (&Spanned<_>, _)| {
            let name: Spanned<String> = owned(key);
            take(name.get_ref(), value, &STRING, found).map(|value| (name.clone(), value))
        };
        self.table.iter().filter_map(entry).collect()
    }

    /// Every key with its table.
    pub(crate) fn each_table(
        &self,
        found: &mut Found,
    ) -> Vec<(Spanned<String>, &'t DeTable<'i>, Span)> {
        let mut tables = Vec::new();
        for (key, value) in self.table.iter() {
            match value.get_ref().as_table() {
                Some(table) => tables.push((owned(key), table, value.span())),
                None => mismatch(key.get_ref(), value, "a table", found),
            }
        }
        tables
    }

    /// An array of strings; empty if the key is not there.
    pub(crate) fn strings(&self, key: &str, found: &mut Found) -> Vec<Spanned<String>> {
        let element = |value, found: &mut Found| take(key, value, &STRING, found);
        self.elements(key, "an array of strings", found)
            .iter()
            .filter_map(|value| element(value, found))
            .collect()
    }

    /// A string, or an array of strings.
    pub(crate) fn one_or_more(&self, key: &str, found: &mut Found) -> Vec<Spanned<String>> {
        match self.table.get(key) {
            Some(value) if value.get_ref().is_str() => {
                take(key, value, &STRING, found).into_iter().collect()
            }
            Some(value) if !value.get_ref().is_array() => {
                mismatch(key, value, "a string or an array of strings", found);
                Vec::new()
            }
            _ => self.strings(key, found),
        }
    }

    /// An array of any values but tables; empty if the key is not there.
    pub(crate) fn list(&self, key: &str, found: &mut Found) -> Vec<Spanned<Literal>> {
        let values = self.elements(key, "an array", found);
        values.iter().filter_map(|value| literal(key, value, found)).collect()
    }

    /// A table.
    pub(crate) fn table(&self, key: &str, found: &mut Found) -> Option<(&'t DeTable<'i>, Span)> {
        let value = self.table.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            mismatch(key, value, "a table", found);
        }
        Some((table?, value.span()))
    }

    /// An array of tables; empty if the key is not there.
    pub(crate) fn tables(&self, key: &str, found: &mut Found) -> Vec<(&'t DeTable<'i>, Span)> {
        let mut tables = Vec::new();
        for value in self.elements(key, "an array of tables", found) {
            match value.get_ref().as_table() {
                Some(table) => tables.push((table, value.span())),
                None => mismatch(key, value, "a table", found),
            }
        }
        tables
    }

    fn elements(&self, key: &str, name: &str, found: &mut Found) -> &'t [Spanned<DeValue<'i>>] {
        let Some(value) = self.table.get(key) else { return &[] };
        let Some(array) = value.get_ref().as_array() else {
            mismatch(key, value, name, found);
            return &[];
        };
        if array.is_empty() {
            found.add(&value.span(), format!("`{key}` is empty"));
        }
        array
    }

    fn scalar<T>(&self, key: &str, kind: &Kind<T>, found: &mut Found) -> Option<Spanned<T>> {
        take(key, self.table.get(key)?, kind, found)
    }
}

fn take<T>(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    kind: &Kind<T>,
    found: &mut Found,
) -> Option<Spanned<T>> {
    let taken = (kind.take)(value.get_ref());
    if taken.is_none() {
        mismatch(key, value, kind.name, found);
    }
    Some(Spanned::new(value.span(), taken?))
}

fn literal(key: &str, value: &Spanned<DeValue<'_>>, found: &mut Found) -> Option<Spanned<Literal>> {
    take(key, value, &LITERAL, found)
}

fn mismatch(key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, found: &mut Found) {
    let is = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    // Where an integer or a float is taken, one that is refused does not fit.
    let takes_float = [NUMBER.name, LITERAL.name].contains(&wanted);
    let takes_integer = takes_float || wanted == INTEGER.name;
    let message = match value.get_ref() {
        DeValue::Integer(_) if takes_integer => format!("`{key}` is past 64 bits"),
        DeValue::Float(_) if takes_float => format!("`{key}` does not fit float64"),
        _ => format!("`{key}` must be {wanted}, not {is}"),
    };
    found.add(&value.span(), message);
}

fn owned(key: &Spanned<std::borrow::Cow<'_, str>>) -> Spanned<String> {
    Spanned::new(key.span(), key.get_ref().to_string())
}

pub(crate) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The double of a TOML float, read as a number of a record is; NaN and
/// infinities as they are.
pub(crate) fn float(value: &DeValue<'_>) -> Option<f64> {
    let DeValue::Float(float) = value else { return None };
    let text = float.as_str();
    // TOML takes a plus sign, which no number of a record has.
    match value::float(text.strip_prefix('+').unwrap_or(text)) {
        Ok(float) => Some(float),
        Err(Code::NotFinite) => text.parse().ok(),
        Err(_) => None,
    }
}

fn bound(value: &DeValue<'_>) -> Option<RangeBound> {
    float(value).map(RangeBound::Float).or_else(|| integer(value).map(RangeBound::Integer))
}
