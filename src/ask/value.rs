//! Values of parameters, and how SQL spells them.

use std::fmt;

use chrono::NaiveDate;

use crate::spec::read::Literal;
use crate::spec::time::{ISO_DATE, iso_day};

/// A value that is no choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// 64 bits.
    Integer(i64),
    /// Finite.
    Float(f64),
    /// UTF-8.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A day.
    Date(NaiveDate),
}

impl Value {
    /// The value of a `default`, if it can be one.
    pub(super) fn of(literal: &Literal) -> Option<Value> {
        Some(match literal {
            Literal::Integer(n) => Value::Integer(*n),
            Literal::Float(n) if n.is_finite() => Value::Float(*n),
            Literal::Text(text) => Value::Text(text.clone()),
            Literal::Bool(on) => Value::Bool(*on),
            Literal::Time(text) => Value::Date(iso_day(text)?),
            Literal::Float(_) | Literal::List(_) => return None,
        })
    }

    /// What was typed, as a value of the type of this one.
    pub(super) fn parse_same(&self, typed: &str) -> Option<Value> {
        match self {
            Value::Integer(_) => typed.parse().ok().map(Value::Integer),
            Value::Float(_) => typed.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float),
            Value::Text(_) => Some(Value::Text(typed.to_owned())),
            Value::Bool(_) => typed.parse().ok().map(Value::Bool),
            Value::Date(_) => iso_day(typed).map(Value::Date),
        }
    }

    /// Its type, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Integer(_) => "a whole number of 64 bits",
            Value::Float(_) => "a number",
            Value::Text(_) => "a text",
            Value::Bool(_) => "true or false",
            Value::Date(_) => "a date such as 2020-08-28",
        }
    }

    /// One literal, whatever the value is; for the least integer, a difference of
    /// two. In parentheses where it has a sign: two of them begin a comment.
    pub(super) fn sql(&self) -> String {
        match self {
            // The digits of the least one alone are more than there is.
            Value::Integer(i64::MIN) => format!("({} - 1)", i64::MIN + 1),
            Value::Integer(n) if *n < 0 => format!("({n})"),
            Value::Float(n) if n.is_sign_negative() => format!("({})", float(*n)),
            Value::Float(n) => float(*n),
            Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Value::Date(day) => format!("DATE '{}'", day.format(ISO_DATE)),
            Value::Integer(_) | Value::Bool(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(n) => n.fmt(f),
            Value::Float(n) => write!(f, "{n:?}"),
            Value::Text(text) => f.write_str(text),
            Value::Bool(on) => on.fmt(f),
            Value::Date(day) => day.format(ISO_DATE).fmt(f),
        }
    }
}

/// In full and with a point: Polars knows a float by its point, and takes no
/// exponent without one.
fn float(n: f64) -> String {
    let digits = n.to_string();
    if digits.contains('.') { digits } else { digits + ".0" }
}
