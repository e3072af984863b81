//! Which files can hold a row with a key of another file, by their statistics.
//!
//! Statistics are bounds that may be wider than the values (texts are cut, times
//! are rounded), and any of them may be missing: a file is only left out if it
//! certainly holds none of the keys.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use chrono::{DateTime, NaiveDate};
use serde_json::Value;

/// Writers may cut times in the log to milliseconds.
const MILLISECOND: i64 = 1_000;

/// What a file's keys lie within, column by column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranges(Vec<Range>);

#[derive(Debug, Clone, PartialEq)]
enum Range {
    /// Every row is null here: none has a key.
    Empty,
    /// From and to, both included; `None` if not known.
    Within(Option<Bound>, Option<Bound>),
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Bound {
    Whole(i64),
    Text(String),
}

impl Ranges {
    /// The ranges of the columns of `key`, by a file's statistics and partition
    /// values as the log has them.
    pub(super) fn of(
        key: &Schema,
        stats: &Value,
        partition: &BTreeMap<String, Option<String>>,
    ) -> Ranges {
        let range = |name: &str, ty: &DataType| match partition.get(name) {
            Some(value) => Range::exactly(value.as_deref().unwrap_or_default(), ty),
            None => Range::by_stats(name, ty, stats),
        };
        Ranges(key.fields().iter().map(|field| range(field.name(), field.data_type())).collect())
    }

    /// Whether some key can be within both.
    pub(super) fn meet(&self, other: &Ranges) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a.meets(b))
    }
}

impl Range {
    /// An empty text is null (PROTOCOL.md, "Partition Value Serialization").
    fn exactly(value: &str, ty: &DataType) -> Range {
        if value.is_empty() {
            return Range::Empty;
        }
        let bound = match ty {
            DataType::Int32 | DataType::Int64 => value.parse().ok().map(Bound::Whole),
            DataType::Boolean => value.parse().ok().map(|flag: bool| Bound::Whole(flag.into())),
            ty => spelled(value, ty),
        };
        Range::Within(bound.clone(), bound)
    }

    fn by_stats(name: &str, ty: &DataType, stats: &Value) -> Range {
        if let (Some(rows), Some(nulls)) =
            (stats["numRecords"].as_u64(), stats["nullCount"][name].as_u64())
            && nulls >= rows
        {
            return Range::Empty;
        }
        let bound = |value: &Value| match value {
            Value::Number(number) => number.as_i64().map(Bound::Whole),
            Value::String(text) => spelled(text, ty),
            _ => None,
        };
        let high = match (bound(&stats["maxValues"][name]), ty) {
            (Some(Bound::Whole(micros)), DataType::Timestamp(..)) => {
                Some(Bound::Whole(micros.saturating_add(MILLISECOND - 1)))
            }
            (high, _) => high,
        };
        Range::Within(bound(&stats["minValues"][name]), high)
    }

    fn meets(&self, other: &Range) -> bool {
        let (Range::Within(low, high), Range::Within(other_low, other_high)) = (self, other) else {
            return false;
        };
        let before = |high: &Option<Bound>, low: &Option<Bound>| matches!((high, low), (Some(h), Some(l)) if h < l);
        !before(high, other_low) && !before(other_high, low)
    }
}

/// A value that is a text in the log; `None` for another spelling than the
/// usual one.
fn spelled(text: &str, ty: &DataType) -> Option<Bound> {
    match ty {
        DataType::Utf8View => Some(Bound::Text(text.to_owned())),
        DataType::Date32 => {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(Bound::Whole(day.signed_duration_since(NaiveDate::default()).num_days()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(Bound::Whole(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Field;
    use serde_json::json;

    use super::*;

    fn utc() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }

    fn ranges(columns: &[(&str, DataType)], stats: &Value) -> Ranges {
        let fields = columns.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true));
        Ranges::of(&Schema::new(fields.collect::<Vec<_>>()), stats, &BTreeMap::new())
    }

    #[test]
    fn files_meet_unless_their_bounds_say_otherwise() {
        let between = |low: Value, high: Value| json!({ "numRecords": 9, "minValues": { "k": low }, "maxValues": { "k": high } });
        let number = |low: i64, high: i64| between(low.into(), high.into());
        let text = |low: &str, high: &str| between(low.into(), high.into());
        let nulls = json!({ "numRecords": 9, "nullCount": { "k": 9 } });
        let times = |low: &str, high: &str| {
            text(&format!("2024-01-01T00:00:{low}Z"), &format!("2024-01-01T00:00:{high}Z"))
        };
        let cases: &[(DataType, Value, Value, bool)] = &[
            (DataType::Int64, number(1, 5), number(5, 9), true),
            (DataType::Int64, number(1, 5), number(6, 9), false),
            (DataType::Int32, number(-9, -5), number(-4, 9), false),
            (DataType::Int64, number(1, 9), number(3, 4), true),
            (DataType::Int64, number(1, 5), json!(null), true),
            (DataType::Int64, number(1, 5), json!({ "numRecords": 9 }), true),
            (DataType::Int64, json!({ "maxValues": { "k": 4 } }), number(5, 9), false),
            (DataType::Int64, json!({ "minValues": { "k": 6 } }), number(1, 5), false),
            (DataType::Int64, json!({ "minValues": { "k": 5 } }), number(1, 5), true),
            (DataType::Int64, number(1, 5), nulls.clone(), false),
            (DataType::Int64, nulls, json!(null), false),
            (DataType::Utf8View, text("a", "c"), text("b", "d"), true),
            (DataType::Utf8View, text("a", "b"), text("ba", "d"), false),
            (DataType::Utf8View, text("a", "b\u{7f}"), text("ba", "d"), true),
            (DataType::Utf8View, text("Z", "Z"), text("a", "é"), false),
            (
                DataType::Date32,
                text("2024-01-01", "2024-01-31"),
                text("2024-01-31", "2024-02-01"),
                true,
            ),
            (
                DataType::Date32,
                text("0999-01-01", "0999-01-31"),
                text("2024-01-01", "2024-02-01"),
                false,
            ),
            (utc(), times("00.000", "01.000"), times("02.000", "03.000"), false),
            (utc(), times("00.000", "01.001"), times("01.001", "03.000"), true),
            // Spelt by another writer, in another zone.
            (
                utc(),
                text("2024-01-01T02:00:00+02:00", "2024-01-01T02:00:01+02:00"),
                times("00.500", "03.0"),
                true,
            ),
            (utc(), text("1 January", "2 January"), times("00.000", "01.000"), true),
            (
                DataType::Boolean,
                between(false.into(), false.into()),
                between(true.into(), true.into()),
                true,
            ),
        ];
        for (ty, a, b, expected) in cases {
            let [a_range, b_range] = [a, b].map(|stats| ranges(&[("k", ty.clone())], stats));
            assert_eq!(a_range.meet(&b_range), *expected, "{ty}: {a} {b}");
            assert_eq!(b_range.meet(&a_range), *expected, "{ty}: {b} {a}");
        }
    }

    #[test]
    fn several_columns_have_to_meet_all() {
        let columns = [("a", DataType::Int64), ("b", DataType::Int64)];
        let of = |a: i64, b: i64| {
            let values = json!({ "a": a, "b": b });
            ranges(&columns, &json!({ "numRecords": 1, "minValues": values, "maxValues": values }))
        };
        assert!(of(1, 2).meet(&of(1, 2)));
        assert!(!of(1, 2).meet(&of(1, 3)));
        assert!(!of(1, 2).meet(&of(2, 2)));
    }

    #[test]
    fn partition_values_are_the_only_value_of_their_file() {
        let of = |ty: &DataType, value: Option<&str>| {
            let partition = BTreeMap::from([("k".to_owned(), value.map(str::to_owned))]);
            Ranges::of(
                &Schema::new(vec![Field::new("k", ty.clone(), true)]),
                &Value::Null,
                &partition,
            )
        };
        let types = [
            (DataType::Int32, "-1", "2"),
            (DataType::Boolean, "true", "false"),
            (DataType::Utf8View, "DE", "FR"),
            (DataType::Date32, "2024-01-01", "2024-01-02"),
            (utc(), "2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000002Z"),
        ];
        for (ty, a, b) in &types {
            assert!(of(ty, Some(a)).meet(&of(ty, Some(a))), "{ty}");
            assert!(!of(ty, Some(a)).meet(&of(ty, Some(b))), "{ty}");
            for null in [None, Some("")] {
                assert!(!of(ty, null).meet(&of(ty, null)), "{ty}");
            }
        }
    }
}
