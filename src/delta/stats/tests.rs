use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    LargeBinaryArray, LargeListArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::{max, max_string_view, min, min_string_view};
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::*;

/// The statistics of the columns as a file with row groups of 7 rows: from the
/// writer, and the same from the file's footer.
fn stats_text(columns: Vec<(&str, ArrayRef)>) -> String {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(7))
        .set_statistics_truncate_length(Some(FOOTER_BYTES))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    let written = of_file(&writer.finish().unwrap());
    let file = Bytes::from(std::mem::take(writer.inner_mut()));
    let read = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    assert_eq!(of_file(&read), written);
    written
}

fn stats(columns: Vec<(&str, ArrayRef)>) -> Value {
    serde_json::from_str(&stats_text(columns)).unwrap()
}

/// The bound of column `float`: this build of `serde_json` reads floats with an
/// error in the last bit.
fn float_in(stats: &str, bounds: &str) -> Option<f64> {
    let (_, bounds) = stats.split_once(bounds)?;
    let (_, bound) = bounds.split_once('}')?.0.split_once("\"float\":")?;
    bound.split(',').next()?.parse().ok()
}

fn one(array: impl Array + 'static) -> (Value, Value, Value) {
    let stats = stats(vec![("c", Arc::new(array))]);
    (
        stats["minValues"]["c"].clone(),
        stats["maxValues"]["c"].clone(),
        stats["nullCount"]["c"].clone(),
    )
}

#[test]
fn each_type_is_spelt_as_the_protocol_says() {
    let day = |days: i32| Date32Array::from(vec![Some(days), None]);
    let time = |micros: i64| {
        TimestampMicrosecondArray::from(vec![Some(micros), None]).with_timezone("UTC")
    };
    let text = |text: &str| StringViewArray::from(vec![Some(text), None]);
    let null = Value::Null;
    let long = "x".repeat(32);
    let cases: Vec<((Value, Value, Value), (Value, Value))> = vec![
        (one(Int32Array::from(vec![Some(-3), None])), (json!(-3), json!(-3))),
        (one(Int64Array::from(vec![Some(i64::MAX), None])), (json!(i64::MAX), json!(i64::MAX))),
        (one(Float64Array::from(vec![Some(0.1), None])), (json!(0.1), json!(0.1))),
        (one(BooleanArray::from(vec![Some(true), None])), (null.clone(), null.clone())),
        (one(LargeBinaryArray::from(vec![Some(&b"x"[..]), None])), (null.clone(), null.clone())),
        (one(day(19_723)), (json!("2024-01-01"), json!("2024-01-01"))),
        (one(day(i32::MAX)), (null.clone(), null.clone())),
        (one(day(-719_163)), (null.clone(), null.clone())),
        (one(time(1_001)), (json!("1970-01-01T00:00:00.001Z"), json!("1970-01-01T00:00:00.002Z"))),
        (one(time(2_000)), (json!("1970-01-01T00:00:00.002Z"), json!("1970-01-01T00:00:00.002Z"))),
        (one(time(-1)), (json!("1969-12-31T23:59:59.999Z"), json!("1970-01-01T00:00:00.000Z"))),
        (one(time(253_402_300_799_999_999)), (json!("9999-12-31T23:59:59.999Z"), null.clone())),
        (one(time(i64::MAX)), (null.clone(), null.clone())),
        (one(text("")), (json!(""), json!(""))),
        (one(text(&long)), (json!(long), json!(long))),
        (one(text(&format!("{long}y"))), (json!(long), json!(format!("{long}\u{7f}")))),
        (one(text(&format!("{long}é"))), (json!(long), json!(format!("{long}\u{10ffff}")))),
        (one(text(&format!("{long}\u{7f}"))), (json!(long), json!(format!("{long}\u{10ffff}")))),
        (one(text(&format!("{long}\u{10ffff}"))), (json!(long), null.clone())),
    ];
    for ((low, high, nulls), wanted) in cases {
        assert_eq!((low, high, nulls), (wanted.0, wanted.1, json!(1)));
    }
}

#[test]
fn long_texts_are_cut_at_characters_of_any_width() {
    for c in ["a", "é", "\u{800}", "\u{ffff}", "\u{10fffe}"] {
        let (low, high, _) = one(StringViewArray::from(vec![c.repeat(500)]));
        assert_eq!(low, json!(c.repeat(32)));
        let high = high.as_str().unwrap();
        assert!(high > c.repeat(500).as_str() && high.chars().count() == 33, "{high}");
    }
}

#[test]
fn null_lists_are_counted_and_neither_empty_lists_nor_null_elements() {
    let rows = [None, Some(vec![]), Some(vec![None, Some(1)]), None, Some(vec![None])];
    let lists = LargeListArray::from_iter_primitive::<Int32Type, _, _>(
        rows.iter().cycle().take(20).cloned(),
    );
    assert_eq!(one(lists), (Value::Null, Value::Null, json!(8)));
}

#[test]
fn a_row_group_of_nulls_bounds_nothing() {
    let rows = |values: [Option<i32>; 3]| {
        Int32Array::from_iter(values.into_iter().flat_map(|v| std::iter::repeat_n(v, 7)))
    };
    assert_eq!(one(rows([None, Some(3), Some(-1)])), (json!(-1), json!(3), json!(7)));
    assert_eq!(one(rows([None; 3])), (Value::Null, Value::Null, json!(21)));
}

#[test]
fn a_row_group_that_does_not_tell_leaves_no_bound() {
    let rows = [f64::NAN, 1.0].into_iter().flat_map(|v| std::iter::repeat_n(v, 7));
    assert_eq!(one(Float64Array::from_iter_values(rows)), (Value::Null, Value::Null, json!(0)));
}

fn micros(bound: &Value) -> i64 {
    DateTime::parse_from_rfc3339(bound.as_str().unwrap()).unwrap().timestamp_micros()
}

/// Texts of which many share a prefix of about the length of a bound.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]{0,3}", "a{31,34}[\u{7e}\u{7f}é\u{ffff}\u{10ffff}]{0,3}", "\\PC{0,50}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bounds_hold_and_counts_are_exact(
        rows in prop::collection::vec(
            (
                any::<Option<i32>>(),
                any::<Option<i64>>(),
                prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO),
                prop::option::of(text()),
                prop::option::of(-62_135_596_800_000_000i64..253_402_300_799_000_000),
                prop::option::of(prop::collection::vec(any::<Option<i32>>(), 0..3)),
            ),
            1..40,
        ),
    ) {
        let small = Int32Array::from_iter(rows.iter().map(|r| r.0));
        let large = Int64Array::from_iter(rows.iter().map(|r| r.1));
        let float = Float64Array::from_iter(rows.iter().map(|r| r.2));
        let texts = StringViewArray::from_iter(rows.iter().map(|r| r.3.as_deref()));
        let times = TimestampMicrosecondArray::from_iter(rows.iter().map(|r| r.4)).with_timezone("UTC");
        let lists = LargeListArray::from_iter_primitive::<Int32Type, _, _>(
            rows.iter().map(|r| r.5.clone()),
        );
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("small", Arc::new(small.clone())),
            ("large", Arc::new(large.clone())),
            ("float", Arc::new(float.clone())),
            ("text", Arc::new(texts.clone())),
            ("time", Arc::new(times.clone())),
            ("list", Arc::new(lists)),
        ];
        let text = stats_text(columns.clone());
        let stats: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&stats["numRecords"], &json!(rows.len()));
        for (name, array) in &columns {
            prop_assert_eq!(&stats["nullCount"][name], &json!(array.null_count()));
        }
        let (low, high) = (&stats["minValues"], &stats["maxValues"]);
        prop_assert_eq!(low["small"].as_i64(), min(&small).map(i64::from));
        prop_assert_eq!(high["small"].as_i64(), max(&small).map(i64::from));
        prop_assert_eq!(low["large"].as_i64(), min(&large));
        prop_assert_eq!(high["large"].as_i64(), max(&large));
        prop_assert_eq!(float_in(&text, "minValues"), min(&float));
        prop_assert_eq!(float_in(&text, "maxValues"), max(&float));
        if let (Some(least), Some(greatest)) = (min(&times), max(&times)) {
            let (low, high) = (micros(&low["time"]), micros(&high["time"]));
            prop_assert!((0..1000).contains(&(least - low)), "{low} for {least}");
            prop_assert!((0..1000).contains(&(high - greatest)), "{high} for {greatest}");
        }
        if let (Some(least), Some(greatest)) = (min_string_view(&texts), max_string_view(&texts)) {
            let low = low["text"].as_str().unwrap();
            prop_assert!(low <= least && least.starts_with(low), "{low:?} for {least:?}");
            if let Some(high) = high["text"].as_str() {
                prop_assert!(high >= greatest, "{high:?} for {greatest:?}");
                prop_assert!(high.chars().count() <= 33);
            } else {
                prop_assert!(greatest.chars().nth(32) >= Some('\u{10fffe}'), "{greatest:?}");
            }
        }
    }
}
