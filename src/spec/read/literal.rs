//! Values written in a transforms file: constants, allowed values, outputs.

use chrono::SecondsFormat;
use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::reader;
use crate::spec::time::{ISO_DATE, parse_date, parse_timestamp};
use crate::spec::{Scalar, Type};
use crate::value;

/// A value as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// A TOML date or time, as text.
    Time(String),
    List(Vec<Literal>),
}

impl Literal {
    /// Any TOML value but a table and a number that does not fit.
    pub(crate) fn read(value: &DeValue<'_>) -> Option<Literal> {
        Some(match value {
            DeValue::String(text) => Literal::Text(text.to_string()),
            DeValue::Integer(_) => Literal::Integer(reader::integer(value)?),
            DeValue::Float(_) => Literal::Float(reader::float(value)?),
            DeValue::Boolean(bool) => Literal::Bool(*bool),
            DeValue::Datetime(time) => Literal::Time(time.to_string()),
            DeValue::Array(array) => {
                let element = |value: &Spanned<DeValue<'_>>| Literal::read(value.get_ref());
                Literal::List(array.iter().map(element).collect::<Option<_>>()?)
            }
            DeValue::Table(_) => return None,
        })
    }

    /// The value of a column of this type, as JSON; `None` if it is none.
    ///
    /// Timestamps become `2020-08-28T03:52:47Z`, with 3, 6 or 9 digits of a
    /// fraction if there is one; dates `2020-08-28`.
    pub(crate) fn json(&self, ty: Type) -> Option<Value> {
        match (ty, self) {
            (Type::Scalar(scalar), value) => value.scalar(scalar),
            (Type::List(scalar), Literal::List(values)) => values
                .iter()
                .map(|value| value.scalar(scalar))
                .collect::<Option<_>>()
                .map(Value::Array),
            (Type::List(_), _) => None,
        }
    }

    /// The same as text, without quotes.
    pub(crate) fn text(&self, scalar: Scalar) -> Option<String> {
        Some(match self.scalar(scalar)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    fn scalar(&self, scalar: Scalar) -> Option<Value> {
        match (scalar, self) {
            (Scalar::String, Literal::Text(text)) => Some(text.as_str().into()),
            (Scalar::Bool, Literal::Bool(bool)) => Some((*bool).into()),
            (Scalar::Int32, Literal::Integer(int)) => i32::try_from(*int).ok().map(Value::from),
            (Scalar::Int64, Literal::Integer(int)) => Some((*int).into()),
            // An integer that no double holds is none, as in a record.
            (Scalar::Float64, Literal::Integer(int)) => {
                value::float(&int.to_string()).ok().and_then(float)
            }
            (Scalar::Float64, Literal::Float(value)) => float(*value),
            (Scalar::Timestamp, Literal::Text(text) | Literal::Time(text)) => timestamp(text),
            (Scalar::Date, Literal::Text(text) | Literal::Time(text)) => date(text),
            _ => None,
        }
    }
}

/// JSON has no NaN and no infinities, and neither have columns.
fn float(value: f64) -> Option<Value> {
    serde_json::Number::from_f64(value).map(Value::Number)
}

fn timestamp(text: &str) -> Option<Value> {
    let time = parse_timestamp(text)?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
}

fn date(text: &str) -> Option<Value> {
    let date = parse_date(text)?;
    Some(date.format(ISO_DATE).to_string().into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_literal_is_a_value_of_the_types_that_hold_it_without_loss() {
        let text = |text: &str| Literal::Text(text.into());
        let scalar = Type::Scalar;
        for (literal, ty, expected) in [
            (Literal::Integer(5), scalar(Scalar::Int32), Some(json!(5))),
            (Literal::Integer(1 << 40), scalar(Scalar::Int32), None),
            (Literal::Integer(1 << 40), scalar(Scalar::Int64), Some(json!(1_u64 << 40))),
            (Literal::Integer(5), scalar(Scalar::Float64), Some(json!(5.0))),
            (Literal::Float(f64::NAN), scalar(Scalar::Float64), None),
            (Literal::Float(5.0), scalar(Scalar::Int32), None),
            (text("5"), scalar(Scalar::Int32), None),
            (Literal::Integer(5), scalar(Scalar::String), None),
            (
                text("2020-08-28 03:52:47.5+01:00"),
                scalar(Scalar::Timestamp),
                Some(json!("2020-08-28T02:52:47.500Z")),
            ),
            (text("2020-08-28"), scalar(Scalar::Timestamp), None),
            (text("20-08-28T03:52:47Z"), scalar(Scalar::Timestamp), None),
            (Literal::Time("2020-08-28T03:52:60Z".into()), scalar(Scalar::Timestamp), None),
            (Literal::Time("0000-01-01T00:00:00Z".into()), scalar(Scalar::Timestamp), None),
            (text("20-08-28"), scalar(Scalar::Date), None),
            (text("2020-8-28"), scalar(Scalar::Date), None),
            (Literal::Time("0000-01-01".into()), scalar(Scalar::Date), None),
            (Literal::Integer((1 << 53) + 1), scalar(Scalar::Float64), None),
            (Literal::Integer(1 << 53), scalar(Scalar::Float64), Some(json!(9007199254740992.0))),
            (Literal::Time("2020-08-28".into()), scalar(Scalar::Date), Some(json!("2020-08-28"))),
            (
                Literal::List(vec![Literal::Integer(1), Literal::Float(2.5)]),
                Type::List(Scalar::Float64),
                Some(json!([1.0, 2.5])),
            ),
            (Literal::Float(1.0), Type::List(Scalar::Float64), None),
        ] {
            assert_eq!(literal.json(ty), expected, "{literal:?} as {ty}");
        }
    }
}
