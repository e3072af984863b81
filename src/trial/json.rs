//! Clean rows as JSON, spelt as transforms files spell expected values.

use polars::prelude::{AnyValue, DataFrame, TimeUnit};
use serde_json::Value;

use crate::show::time;

/// The values of a row by column, in the order of the columns.
pub type Row = Vec<(String, Value)>;

/// The rows of a clean frame. Timestamps are RFC 3339 in UTC with 0, 3 or 6
/// digits of a fraction, dates `2020-08-28`.
pub fn rows(frame: &DataFrame) -> Vec<Row> {
    let mut rows = vec![Row::with_capacity(frame.width()); frame.height()];
    for column in frame.columns() {
        let values = column.as_materialized_series().iter();
        for (row, value) in rows.iter_mut().zip(values) {
            row.push((column.name().to_string(), json(&value)));
        }
    }
    rows
}

fn json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(value) => (*value).into(),
        AnyValue::Int32(value) => (*value).into(),
        AnyValue::Int64(value) => (*value).into(),
        AnyValue::Float64(value) if value.is_finite() => (*value).into(),
        AnyValue::String(text) => (*text).into(),
        AnyValue::StringOwned(text) => text.as_str().into(),
        AnyValue::Datetime(micros, ..) | AnyValue::DatetimeOwned(micros, ..) => timestamp(*micros),
        AnyValue::Date(days) => date(*days),
        AnyValue::List(elements) => elements.iter().map(|element| json(&element)).collect(),
        other => other.to_string().into(),
    }
}

/// A number where it is further away than the calendar goes.
fn timestamp(micros: i64) -> Value {
    time::timestamp(micros, TimeUnit::Microseconds).map_or_else(|| micros.into(), Value::from)
}

fn date(days: i32) -> Value {
    time::date(days).map_or_else(|| days.into(), Value::from)
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_is_spelt_as_an_expected_value_is() {
        let micros = |micros: i64| AnyValue::Datetime(micros, TimeUnit::Microseconds, None);
        let list = Series::new("".into(), [Some(1.5), None]);
        for (value, expected) in [
            (AnyValue::Null, Value::Null),
            (AnyValue::Boolean(true), json!(true)),
            (AnyValue::Int32(-7), json!(-7)),
            (AnyValue::Int64(1 << 40), json!(1_i64 << 40)),
            (AnyValue::Float64(-0.5), json!(-0.5)),
            (AnyValue::Float64(f64::NAN), json!("NaN")),
            (AnyValue::String("a\"b"), json!("a\"b")),
            (micros(1_598_586_767_000_000), json!("2020-08-28T03:52:47Z")),
            (micros(1_598_586_767_250_000), json!("2020-08-28T03:52:47.250Z")),
            (micros(-1), json!("1969-12-31T23:59:59.999999Z")),
            (micros(i64::MAX), json!(i64::MAX)),
            (AnyValue::Date(18_502), json!("2020-08-28")),
            (AnyValue::Date(-1), json!("1969-12-31")),
            (AnyValue::Date(i32::MIN), json!(i32::MIN)),
            (AnyValue::List(list), json!([1.5, null])),
        ] {
            assert_eq!(super::json(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn rows_keep_the_order_of_the_columns() {
        let frame = df!("b" => [1_i32, 2], "a" => [Some("x"), None]).unwrap();
        let row = |b: i32, a: Value| vec![("b".to_owned(), json!(b)), ("a".to_owned(), a)];
        assert_eq!(rows(&frame), [row(1, json!("x")), row(2, Value::Null)]);
    }
}
