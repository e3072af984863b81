//! Partition values: as the Delta log spells them, and as folders.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use chrono::DateTime;
use sha2::{Digest, Sha256};

use super::internal;
use crate::Result;

/// The folder of null, as Hive and Spark name it.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A folder's value is cut after so many bytes: a file system takes names of
/// 255, and S3 keys of 1,024 in all.
const FOLDER_BYTES: usize = 100;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A value as the Delta protocol spells it; `None` for null. The protocol has no
/// empty text: it reads one as null, so that it is null here too.
/// <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization>
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) for a type that partitions no
/// table, or a time that is past the calendar.
pub(super) fn serialised(column: &ArrayRef, row: usize) -> Result<Option<String>> {
    if column.is_null(row) {
        return Ok(None);
    }
    let text = match column.data_type() {
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Utf8View => column.as_string_view().value(row).to_owned(),
        DataType::Date32 => {
            let days = i64::from(column.as_primitive::<Date32Type>().value(row));
            let date = DateTime::from_timestamp(days * DAY, 0).ok_or_else(|| past(days))?;
            date.format("%Y-%m-%d").to_string()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            let time = DateTime::from_timestamp_micros(micros).ok_or_else(|| past(micros))?;
            // The other spelling, without a zone, means the reader's zone to Spark.
            time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
        }
        other => return Err(internal(format!("{other} partitions no table"))),
    };
    Ok((!text.is_empty()).then_some(text))
}

fn past(value: i64) -> crate::Error {
    internal(format!("partition value {value} is past the calendar"))
}

/// The folder of a value, as Hive and Spark name it: `country=DE`. A long value
/// is cut, and a hash stands for the rest: readers take values from the log.
pub(super) fn folder(column: &str, value: Option<&str>) -> String {
    let Some(value) = value else { return format!("{}={NULL}", escaped(column)) };
    let whole = escaped(value);
    if whole.len() <= FOLDER_BYTES {
        return format!("{}={whole}", escaped(column));
    }
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(value));
    let hash = u32::from_be_bytes([a, b, c, d]);
    // Escapes are three bytes each, and are not torn.
    let fits = |end: &usize| escaped(&value[..*end]).len() <= FOLDER_BYTES;
    let ends = value.char_indices().map(|(at, _)| at);
    let end = ends.take_while(fits).last().unwrap_or(0);
    format!("{}={}~{hash:08x}", escaped(column), escaped(&value[..end]))
}

/// What Spark escapes in folders (`ExternalCatalogUtils.escapePathName`): control
/// characters and those that a path or a file system may take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^' => {
                escaped += &format!("%{:02X}", u32::from(c))
            }
            c if c.is_ascii_control() => escaped += &format!("%{:02X}", u32::from(c)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringViewArray,
        TimestampMicrosecondArray,
    };

    use super::*;

    #[test]
    fn values_are_spelt_as_the_delta_protocol_says() {
        let time = |micros| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from_value(micros, 1).with_timezone("UTC"))
        };
        let text = |text: &str| -> ArrayRef { Arc::new(StringViewArray::from(vec![text])) };
        let day = |days| -> ArrayRef { Arc::new(Date32Array::from_value(days, 1)) };
        let cases: Vec<(ArrayRef, Option<&str>)> = vec![
            (Arc::new(Int32Array::from(vec![i32::MIN])), Some("-2147483648")),
            (Arc::new(Int64Array::from(vec![i64::MAX])), Some("9223372036854775807")),
            (Arc::new(Int64Array::from(vec![None])), None),
            (Arc::new(BooleanArray::from(vec![true])), Some("true")),
            (Arc::new(BooleanArray::from(vec![false])), Some("false")),
            (
                text("a text of more than twelve bytes / é"),
                Some("a text of more than twelve bytes / é"),
            ),
            (text(" "), Some(" ")),
            (text(""), None),
            (day(18_502), Some("2020-08-28")),
            (day(-1), Some("1969-12-31")),
            (day(-719_162), Some("0001-01-01")),
            (time(0), Some("1970-01-01T00:00:00.000000Z")),
            (time(-1), Some("1969-12-31T23:59:59.999999Z")),
            (time(1_598_586_767_250_000), Some("2020-08-28T03:52:47.250000Z")),
        ];
        for (column, expected) in cases {
            assert_eq!(serialised(&column, 0).unwrap().as_deref(), expected);
        }
        let float: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        assert!(serialised(&float, 0).is_err() && serialised(&time(i64::MAX), 0).is_err());
    }

    #[test]
    fn the_delta_kernel_reads_the_spelling_back() {
        use delta_kernel::expressions::Scalar;
        use delta_kernel::schema::PrimitiveType;
        for (value, ty, expected) in [
            ("1969-12-31T23:59:59.999999Z", PrimitiveType::Timestamp, Scalar::Timestamp(-1)),
            ("0001-01-01", PrimitiveType::Date, Scalar::Date(-719_162)),
            ("false", PrimitiveType::Boolean, Scalar::Boolean(false)),
            ("-7", PrimitiveType::Long, Scalar::Long(-7)),
        ] {
            assert_eq!(ty.parse_scalar(value).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn folders_are_named_as_spark_names_them() {
        let long = "é".repeat(90);
        for (value, expected) in [
            (Some("DE"), "c=DE"),
            (Some("United Kingdom"), "c=United Kingdom"),
            (Some("a/b=c%d:e"), "c=a%2Fb%3Dc%25d%3Ae"),
            (Some("\"#'*?\\{[]^"), "c=%22%23%27%2A%3F%5C%7B%5B%5D%5E"),
            (Some("\0\n\u{7f}\u{1f}"), "c=%00%0A%7F%1F"),
            (Some("}<>|~é👍"), "c=}<>|~é👍"),
            (Some(".."), "c=.."),
            (None, "c=__HIVE_DEFAULT_PARTITION__"),
            (Some(&long), &format!("c={}~8177f085", "é".repeat(50))),
        ] {
            assert_eq!(folder("c", value), expected);
        }
    }

    #[test]
    fn a_long_value_has_a_short_folder_of_its_own() {
        let of = |text: String| folder("c", Some(&text));
        let slashes = of("/".repeat(1_000));
        assert!(slashes.starts_with("c=%2F%2F") && slashes.len() < 120, "{slashes}");
        assert!(slashes.contains("%2F~"), "an escape is whole: {slashes}");
        assert_ne!(slashes, of("/".repeat(1_001)));
    }
}
