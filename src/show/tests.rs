//! A frame of every type that SQL gives, in each form.

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType as ArrowType;
use bytes::Bytes;
use polars::prelude::*;

use super::*;

/// One column `v` of two rows: a value and null, as CSV and as JSON.
fn cases() -> Vec<(Series, &'static str, &'static str)> {
    let ints = |ty: &DataType| Series::new("v".into(), [Some(7_i64), None]).cast(ty).unwrap();
    let texts = |text: &str| Series::new("v".into(), [Some(text), None]);
    let micros = |n: i64, ty: &DataType| Series::new("v".into(), [Some(n), None]).cast(ty).unwrap();
    let time = 1_598_586_767_000_000;
    let naive = DataType::Datetime(TimeUnit::Microseconds, None);
    let zoned = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let bytes = |b: &'static [u8]| Series::new("v".into(), [Some(b), None]);
    let mut list: ListChunked =
        [Some(Series::new("".into(), [Some("a\"b"), None])), None].into_iter().collect();
    list.rename("v".into());
    let fields =
        [Series::new("n".into(), [Some(1_i64), None]), Series::new("a".into(), [Some("x"), None])];
    let group = StructChunked::from_series("v".into(), 2, fields.iter()).unwrap();
    vec![
        (ints(&DataType::Int8), "7", "7"),
        (ints(&DataType::Int16), "7", "7"),
        (ints(&DataType::Int32), "7", "7"),
        (ints(&DataType::UInt32), "7", "7"),
        (ints(&DataType::UInt64), "7", "7"),
        (ints(&DataType::Int128), "7", "7"),
        (micros(i64::MIN, &DataType::Int64), "-9223372036854775808", "-9223372036854775808"),
        (ints(&DataType::Float32), "7.0", "7.0"),
        (Series::new("v".into(), [Some(0.1_f32), None]), "0.1", "0.1"),
        (Series::new("v".into(), [Some(1e300), None]), "1e300", "1e300"),
        (Series::new("v".into(), [Some(f64::NAN), None]), "NaN", "null"),
        (Series::new("v".into(), [Some(f64::NEG_INFINITY), None]), "-inf", "null"),
        (ints(&DataType::Decimal(10, 3)), "7.000", "7.000"),
        (Series::new("v".into(), [Some(true), None]), "true", "true"),
        (texts("é, \"x\"\n"), "\"é, \"\"x\"\"\n\"", "\"é, \\\"x\\\"\\n\""),
        (texts("\u{1b}[2J"), "\u{1b}[2J", "\"\\u001b[2J\""),
        (texts("\\\t\0é\u{7f}"), "\\\t\0é\u{7f}", "\"\\\\\\t\\u0000é\u{7f}\""),
        (bytes(b"{}"), "{}", "\"{}\""),
        (bytes(b"a\xff"), "a\\xff", "\"a\\\\xff\""),
        (micros(time, &naive), "2020-08-28T03:52:47Z", "\"2020-08-28T03:52:47Z\""),
        (
            micros(time + 1, &zoned),
            "2020-08-28T03:52:47.000001Z",
            "\"2020-08-28T03:52:47.000001Z\"",
        ),
        (ints(&DataType::Date), "1970-01-08", "\"1970-01-08\""),
        (ints(&DataType::Time), "00:00:00.000000007", "\"00:00:00.000000007\""),
        (ints(&DataType::Duration(TimeUnit::Milliseconds)), "PT0.007S", "\"PT0.007S\""),
        (list.into_series(), "\"[\"\"a\\\"\"b\"\",null]\"", "[\"a\\\"b\",null]"),
    ]
    .into_iter()
    .chain([(
        group.into_series(),
        "\"{\"\"n\"\":1,\"\"a\"\":\"\"x\"\"}\"",
        "{\"n\":1,\"a\":\"x\"}",
    )])
    .collect()
}

#[test]
fn every_type_has_a_text_and_a_json() {
    for (series, csv, json) in cases() {
        let (ty, group) = (series.dtype().clone(), series.dtype().is_struct());
        let frame = series.into_frame();
        // A struct is never null as a whole here: its fields are.
        let none = if group { "\"{\"\"n\"\":null,\"\"a\"\":null}\"" } else { "\"\"" };
        assert_eq!(render(&frame, Form::Csv).unwrap(), format!("v\n{csv}\n{none}\n"), "{ty}");
        let none = if group { "{\"n\":null,\"a\":null}" } else { "null" };
        let lines = format!("{{\"v\":{json}}}\n{{\"v\":{none}}}\n");
        assert_eq!(render(&frame, Form::Ndjson).unwrap(), lines, "{ty}");
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn json_is_one_array_with_the_keys_in_order() {
    let frame = df!("b" => [1, 2], "a" => [Some("x"), None]).unwrap();
    let text = "[\n{\"b\":1,\"a\":\"x\"},\n{\"b\":2,\"a\":null}\n]\n";
    assert_eq!(render(&frame, Form::Json).unwrap(), text);
    assert_eq!(render(&frame.clear(), Form::Json).unwrap(), "[]\n");
    assert_eq!(render(&frame.clear(), Form::Ndjson).unwrap(), "");
    assert_eq!(render(&frame.clear(), Form::Csv).unwrap(), "b,a\n");
}

#[test]
fn a_table_is_aligned_and_safe_for_a_terminal() {
    let frame = df!(
        "n" => [Some(1), Some(1000), None],
        "text" => [Some("a\nb\u{1b}[2J\u{202e}"), Some(&*"é".repeat(81)), None]
    )
    .unwrap();
    let long = format!("1000  {}…", "é".repeat(80));
    let lines = ["   n  text", "   1  a\\nb\\u{1b}[2J\\u{202e}", &long, "null  null", "3 rows", ""];
    assert_eq!(render(&frame, Form::Table).unwrap(), lines.join("\n"));
    assert_eq!(render(&frame.head(Some(1)), Form::Table).unwrap().lines().last(), Some("1 row"));
    assert_eq!(render(&frame.clear(), Form::Table).unwrap(), "n  text\n0 rows\n");
}

#[test]
fn markdown_cells_stay_cells() {
    let frame = df!("n" => [1, 2], "a|b" => [Some("x|y\r\nz\\<b>&"), None]).unwrap();
    let text = "| n | a\\|b |\n| --: | --- |\n| 1 | x\\|y<br>z\\\\&lt;b>&amp; |\n| 2 | |\n";
    assert_eq!(render(&frame, Form::Markdown).unwrap(), text);
}

#[test]
fn parquet_has_the_types_that_every_reader_has() {
    for (series, ..) in cases() {
        for frame in [series.clone().into_frame(), series.clear().into_frame()] {
            let bytes = Bytes::from(parquet(&frame).unwrap());
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
            let ty = reader.schema().field(0).data_type().clone();
            let rows: usize = reader.build().unwrap().map(|batch| batch.unwrap().num_rows()).sum();
            assert_eq!(rows, frame.height());
            let narrow = matches!(
                ty,
                ArrowType::Int8 | ArrowType::Int16 | ArrowType::UInt32 | ArrowType::Null
            );
            assert!(!narrow, "{ty}");
        }
    }
}

#[test]
fn parquet_keeps_the_values() {
    let time = DataType::Datetime(TimeUnit::Milliseconds, None);
    let frame = df!("count" => [3_u32, u32::MAX], "big" => [1_i64, 2], "at" => [0_i64, 1_001])
        .unwrap()
        .lazy()
        .with_columns([
            col("big").cast(DataType::Int128),
            col("at").cast(time),
            lit(NULL).alias("none"),
        ])
        .collect()
        .unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet(&frame).unwrap()));
    let batch = reader.unwrap().build().unwrap().next().unwrap().unwrap();
    let counts = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>();
    assert_eq!(counts.values().as_ref(), [3, i64::from(u32::MAX)]);
    let big = batch.column(1).as_primitive::<arrow::datatypes::Decimal128Type>();
    assert_eq!((big.values().as_ref(), big.scale()), ([1, 2].as_slice(), 0));
    let at = batch.column(2).as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    assert_eq!(at.values().as_ref(), [0, 1_001_000]);
    assert!(matches!(at.data_type(), ArrowType::Timestamp(_, Some(zone)) if &**zone == "UTC"));
    assert_eq!(batch.column(3).null_count(), 2);
}

#[test]
fn forms_are_known_by_the_ending_of_a_file() {
    for (name, form) in Saved::NAMES {
        let file = Path::new("a.b").with_extension(form.ending());
        assert_eq!(Saved::of_path(&file), Some(*form), "{name}");
    }
    assert_eq!(Saved::of_path(Path::new("x/A.PARQUET")), Some(Saved::Parquet));
    assert_eq!(Saved::of_path(Path::new("x.jsonl")), Some(Saved::Text(Form::Ndjson)));
    assert_eq!(Saved::of_path(Path::new("csv")), None);
}
