//! A finished Parquet file → what a Delta log says of its columns.
//!
//! The form is that of "Per-file Statistics" in
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>. Readers leave
//! out files by it, so that every bound must hold for every value. A bound that
//! cannot be told is left out; readers then open the file.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Utc};
use parquet::basic::{LogicalType, TimeUnit, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::statistics::Statistics;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};
use serde_json::{Map, Value, json};

/// Characters of a text that a bound keeps, as in Spark
/// (`delta.dataSkippingStringPrefixLength`).
const TEXT_CHARS: usize = 32;

/// Bytes of a text that a footer has to keep for that. The upper bound is chosen
/// by one character more, and Parquet changes the last one of a text it cuts.
pub const FOOTER_BYTES: usize = 4 * (TEXT_CHARS + 2);

/// Years that every reader can parse from four digits.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// The statistics of a file, as the JSON text of an `add` action's `stats`.
///
/// Counts are exact, for lists too. Columns of which the footer knows nothing
/// are left out. Bounds are given for numbers, texts, dates and times of
/// microseconds in UTC; as in Spark there are none for booleans and lists.
pub fn of_file(metadata: &ParquetMetaData) -> String {
    let (mut nulls, mut min, mut max) = (Map::new(), Map::new(), Map::new());
    let schema = metadata.file_metadata().schema_descr();
    for leaf in 0..schema.num_columns() {
        let root = schema.get_column_root(leaf);
        let column = Column {
            metadata,
            leaf,
            optional: root.is_optional(),
            descriptor: schema.column(leaf),
        };
        let note = |all: &mut Map<String, Value>, value: Option<Value>| {
            all.extend(value.map(|value| (root.name().to_owned(), value)));
        };
        note(&mut nulls, column.nulls().map(Value::from));
        if let Some((kind, low, high)) = column.bounds() {
            note(&mut min, kind.lower(low));
            note(&mut max, kind.upper(high));
        }
    }
    let rows = metadata.file_metadata().num_rows();
    json!({ "numRecords": rows, "minValues": min, "maxValues": max, "nullCount": nulls })
        .to_string()
}

/// One column over all row groups.
struct Column<'a> {
    metadata: &'a ParquetMetaData,
    leaf: usize,
    /// Whether the column may be null, not an element of it.
    optional: bool,
    descriptor: ColumnDescPtr,
}

impl<'a> Column<'a> {
    fn chunks(&self) -> impl Iterator<Item = (i64, &'a ColumnChunkMetaData)> {
        let groups = self.metadata.row_groups().iter();
        groups.map(|group| (group.num_rows(), group.column(self.leaf)))
    }

    fn nulls(&self) -> Option<i64> {
        self.chunks().map(|(_, chunk)| self.nulls_of(chunk)).sum()
    }

    fn nulls_of(&self, chunk: &ColumnChunkMetaData) -> Option<i64> {
        if !self.optional {
            return Some(0);
        }
        // Of a list the statistics count the elements; that the list itself is
        // null is its lowest definition level.
        match chunk.definition_level_histogram() {
            Some(levels) => levels.values().first().copied(),
            None if self.descriptor.max_rep_level() > 0 => None,
            None => i64::try_from(chunk.statistics()?.null_count_opt()?).ok(),
        }
    }

    /// The least and the greatest value; `None` if there is none, or if a row
    /// group does not tell.
    fn bounds(&self) -> Option<(Kind, Bound<'a>, Bound<'a>)> {
        let kind = Kind::of(&self.descriptor)?;
        let mut all: Option<(Bound, Bound)> = None;
        for (rows, chunk) in self.chunks() {
            if self.nulls_of(chunk) == Some(rows) {
                continue;
            }
            let (low, high) = Bound::both(chunk.statistics()?)?;
            all = Some(match all {
                None => (low, high),
                Some((l, h)) => (if low < l { low } else { l }, if high > h { high } else { h }),
            });
        }
        all.map(|(low, high)| (kind, low, high))
    }
}

/// A bound as the footer holds it. A text there may be cut short; it is a bound
/// all the same.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Bound<'a> {
    Whole(i64),
    Float(f64),
    Text(&'a str),
}

impl<'a> Bound<'a> {
    fn both(statistics: &'a Statistics) -> Option<(Bound<'a>, Bound<'a>)> {
        let text = |bytes: Option<&'a [u8]>| std::str::from_utf8(bytes?).ok().map(Bound::Text);
        Some(match statistics {
            Statistics::Int32(s) => {
                (Bound::Whole((*s.min_opt()?).into()), Bound::Whole((*s.max_opt()?).into()))
            }
            Statistics::Int64(s) => (Bound::Whole(*s.min_opt()?), Bound::Whole(*s.max_opt()?)),
            Statistics::Double(s) => (Bound::Float(*s.min_opt()?), Bound::Float(*s.max_opt()?)),
            Statistics::ByteArray(s) => (text(s.min_bytes_opt())?, text(s.max_bytes_opt())?),
            _ => return None,
        })
    }
}

/// How the log spells the values of a column.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    Text,
    /// Days since 1970.
    Date,
    /// Microseconds since 1970, in UTC.
    Time,
}

impl Kind {
    fn of(column: &ColumnDescriptor) -> Option<Kind> {
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
            return None;
        }
        match (column.physical_type(), column.logical_type_ref()) {
            (Type::INT32 | Type::INT64 | Type::DOUBLE, None) => Some(Kind::Number),
            (Type::BYTE_ARRAY, Some(LogicalType::String)) => Some(Kind::Text),
            (Type::INT32, Some(LogicalType::Date)) => Some(Kind::Date),
            (Type::INT64, Some(LogicalType::Timestamp(time)))
                if time.is_adjusted_to_u_t_c && time.unit == TimeUnit::MICROS =>
            {
                Some(Kind::Time)
            }
            _ => None,
        }
    }

    fn lower(self, bound: Bound) -> Option<Value> {
        match (self, bound) {
            (Kind::Time, Bound::Whole(micros)) => time(micros.div_euclid(1000)),
            (_, Bound::Text(text)) => Some(prefix(text).into()),
            (kind, bound) => kind.exact(bound),
        }
    }

    fn upper(self, bound: Bound) -> Option<Value> {
        match (self, bound) {
            // The log has milliseconds: up, or the value would lie beyond it.
            (Kind::Time, Bound::Whole(micros)) => {
                time(micros.div_euclid(1000) + i64::from(micros.rem_euclid(1000) > 0))
            }
            (_, Bound::Text(text)) => upper_text(text).map(Value::from),
            (kind, bound) => kind.exact(bound),
        }
    }

    fn exact(self, bound: Bound) -> Option<Value> {
        match (self, bound) {
            (Kind::Date, Bound::Whole(days)) => {
                let day = at(DateTime::from_timestamp(days.checked_mul(86_400)?, 0))?;
                Some(day.format("%Y-%m-%d").to_string().into())
            }
            (_, Bound::Whole(number)) => Some(number.into()),
            (_, Bound::Float(number)) => serde_json::Number::from_f64(number).map(Value::Number),
            _ => None,
        }
    }
}

fn time(millis: i64) -> Option<Value> {
    let time = at(DateTime::from_timestamp_millis(millis))?;
    Some(time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into())
}

fn at(time: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    time.filter(|time| YEARS.contains(&time.year()))
}

fn prefix(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// A text of few characters that is not less than `text`. As in Spark a prefix
/// gets a last character that is greater than the one cut off: DEL where that
/// does, as it is a single byte, else the greatest of all.
fn upper_text(text: &str) -> Option<String> {
    let prefix = prefix(text);
    match text[prefix.len()..].chars().next() {
        None => Some(text.to_owned()),
        Some(..'\u{7f}') => Some(format!("{prefix}\u{7f}")),
        Some(char::MAX) => None,
        Some(_) => Some(format!("{prefix}{}", char::MAX)),
    }
}

#[cfg(test)]
mod tests;
