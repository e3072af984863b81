//! Values as JSON, and frames of them.

use std::fmt::Write as _;

use polars::prelude::{AnyValue, Column, DataFrame, Series};
use serde_json::Value;

use super::text;

/// One array, an object a line.
pub(super) fn array(frame: &DataFrame) -> String {
    let mut out = String::from("[");
    objects(frame, |object| {
        out.push_str(if out.len() == 1 { "\n" } else { ",\n" });
        out.push_str(object);
    });
    out.push_str(if out.len() == 1 { "]\n" } else { "\n]\n" });
    out
}

/// One object a line.
pub(super) fn lines(frame: &DataFrame) -> String {
    let mut out = String::new();
    objects(frame, |object| {
        out.push_str(object);
        out.push('\n');
    });
    out
}

/// Each row as an object, its keys in the order of the columns.
fn objects(frame: &DataFrame, mut take: impl FnMut(&str)) {
    let columns = frame.columns().iter();
    let columns: Vec<&Series> = columns.map(Column::as_materialized_series).collect();
    let mut values: Vec<_> = columns.iter().map(|column| column.iter()).collect();
    let mut object = String::new();
    for _ in 0..frame.height() {
        object.clear();
        let cells = values.iter_mut().map(|values| values.next().unwrap_or(AnyValue::Null));
        fields(columns.iter().map(|column| column.name().as_str()).zip(cells), &mut object);
        take(&object);
    }
}

fn fields<'a>(fields: impl Iterator<Item = (&'a str, AnyValue<'a>)>, out: &mut String) {
    out.push('{');
    for (i, (name, value)) in fields.enumerate() {
        if i > 0 {
            out.push(',');
        }
        string(name, out);
        out.push(':');
        append(&value, out);
    }
    out.push('}');
}

/// A value as JSON at the end of `out`.
pub(super) fn append(value: &AnyValue<'_>, out: &mut String) {
    match value {
        AnyValue::Null => out.push_str("null"),
        AnyValue::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        AnyValue::List(elements) | AnyValue::Array(elements, _) => {
            out.push('[');
            for (i, element) in elements.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                append(&element, out);
            }
            out.push(']');
        }
        AnyValue::Struct(..) => append(&value.clone().into_static(), out),
        AnyValue::StructOwned(parts) => {
            let (values, names) = parts.as_ref();
            let names = names.iter().map(|field| field.name.as_str());
            fields(names.zip(values.iter().cloned()), out);
        }
        value => match text::number(value) {
            Some(number) if text::is_finite(value) => out.push_str(&number),
            Some(_) => out.push_str("null"),
            None => string(&text::scalar(value), out),
        },
    }
}

fn string(text: &str, out: &mut String) {
    // Neither a string nor what writes to one ever fails.
    let _ = write!(out, "{}", Value::from(text));
}
