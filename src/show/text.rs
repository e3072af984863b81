//! One value as text.

use std::borrow::Cow;
use std::fmt::Write as _;

use polars::prelude::{AnyValue, Column, DataFrame, DataType, Series};

use super::{json, time};

/// The values of each row as text; `None` is null.
pub(super) fn rows(frame: &DataFrame) -> impl Iterator<Item = Vec<Option<String>>> + '_ {
    let columns = frame.columns().iter().map(Column::as_materialized_series);
    let mut values: Vec<_> = columns.map(Series::iter).collect();
    (0..frame.height()).map(move |_| {
        let next = values.iter_mut().map(|values| values.next().unwrap_or(AnyValue::Null));
        next.map(|value| cell(&value)).collect()
    })
}

/// Whether values of the type are read from the right.
pub(super) fn is_number(ty: &DataType) -> bool {
    ty.is_primitive_numeric() || ty.is_decimal()
}

fn cell(value: &AnyValue<'_>) -> Option<String> {
    match value {
        AnyValue::Null => None,
        AnyValue::Boolean(_) | AnyValue::List(_) | AnyValue::Array(..) => Some(as_json(value)),
        AnyValue::Struct(..) | AnyValue::StructOwned(_) => Some(as_json(value)),
        value => Some(number(value).unwrap_or_else(|| scalar(value).into_owned())),
    }
}

fn as_json(value: &AnyValue<'_>) -> String {
    let mut out = String::new();
    json::append(value, &mut out);
    out
}

/// A number, if it is one; `NaN`, `inf` and `-inf` are.
pub(super) fn number(value: &AnyValue<'_>) -> Option<String> {
    Some(match value {
        AnyValue::UInt8(n) => n.to_string(),
        AnyValue::UInt16(n) => n.to_string(),
        AnyValue::UInt32(n) => n.to_string(),
        AnyValue::UInt64(n) => n.to_string(),
        AnyValue::UInt128(n) => n.to_string(),
        AnyValue::Int8(n) => n.to_string(),
        AnyValue::Int16(n) => n.to_string(),
        AnyValue::Int32(n) => n.to_string(),
        AnyValue::Int64(n) => n.to_string(),
        AnyValue::Int128(n) => n.to_string(),
        // Debug: the shortest that reads as the same float, with an exponent
        // where it is long.
        AnyValue::Float16(n) => format!("{:?}", f32::from(*n)),
        AnyValue::Float32(n) => format!("{n:?}"),
        AnyValue::Float64(n) => format!("{n:?}"),
        AnyValue::Decimal(digits, _, scale) => decimal(*digits, *scale),
        _ => return None,
    })
}

/// Whether JSON has such a number.
pub(super) fn is_finite(value: &AnyValue<'_>) -> bool {
    match value {
        AnyValue::Float16(n) => f32::from(*n).is_finite(),
        AnyValue::Float32(n) => n.is_finite(),
        AnyValue::Float64(n) => n.is_finite(),
        _ => true,
    }
}

/// `digits / 10^scale` in full.
fn decimal(digits: i128, scale: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let all = format!("{:0width$}", digits.unsigned_abs(), width = scale + 1);
    match all.split_at(all.len() - scale) {
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

/// What is neither a number nor made of other values.
pub(super) fn scalar<'a>(value: &'a AnyValue<'_>) -> Cow<'a, str> {
    match value {
        AnyValue::String(text) => Cow::Borrowed(text),
        AnyValue::StringOwned(text) => Cow::Borrowed(text.as_str()),
        AnyValue::Binary(bytes) => self::bytes(bytes),
        AnyValue::BinaryOwned(bytes) => self::bytes(bytes),
        AnyValue::Date(days) => or_number(time::date(*days), (*days).into()),
        AnyValue::Datetime(since, unit, _) | AnyValue::DatetimeOwned(since, unit, _) => {
            or_number(time::timestamp(*since, *unit), *since)
        }
        AnyValue::Duration(span, unit) => time::duration(*span, *unit).into(),
        AnyValue::Time(nanos) => or_number(time::time_of_day(*nanos), *nanos),
        other => other.to_string().into(),
    }
}

/// Further away than the calendar goes there is only the number.
fn or_number(text: Option<String>, number: i64) -> Cow<'static, str> {
    text.unwrap_or_else(|| number.to_string()).into()
}

/// What is UTF-8 as it is, other bytes as `\xff`.
fn bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.into()
}
