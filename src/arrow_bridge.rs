//! Polars frames ↔ Arrow record batches, without a copy.
//!
//! Polars and arrow-rs each implement the Arrow C data interface
//! (<https://arrow.apache.org/docs/format/CDataInterface.html>). An array is
//! exported by one and imported by the other; its buffers stay where they are
//! and are freed by the one that made them when the last batch or frame that
//! holds them is dropped.

mod texts;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeListArray, make_array, new_empty_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use polars::prelude::{Column, CompatLevel, DataFrame, PlSmallStr, Series};
use polars_arrow::array::Array as PolarsArray;
use polars_arrow::datatypes::Field as PolarsField;
use polars_arrow::ffi::{
    export_array_to_c, export_field_to_c, import_array_from_c, import_field_from_c,
};

use crate::error::Cause;
use crate::{Error, Result};
pub use texts::TextColumn;

/// The frame as one record batch of `schema`.
///
/// The frame must hold the schema's columns, by name, in any order. Timestamps
/// without a zone are taken as UTC: the numbers stay. Several chunks of a
/// column become one, which copies that column, as does what is not a view in
/// the schema: `Utf8` and `LargeBinary`.
///
/// # Errors
///
/// [`Error::Internal`] if a column is missing or is not of its type: the stage
/// before this one broke its contract.
pub fn record_batch(frame: &DataFrame, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = frame.column(field.name()).map_err(|e| internal(&e))?;
            import(column, field.data_type())
                .map_err(|e| internal(&format!("column {}: {e}", field.name())))
        })
        .collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(frame.height()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| internal(&e))
}

/// The frame as one record batch of the types that it has. Texts and bytes are
/// `LargeUtf8` and `LargeBinary`, which copies them.
///
/// # Errors
///
/// [`Error::Internal`] for a type that Arrow lacks, such as 128-bit integers.
pub fn own_batch(frame: &DataFrame) -> Result<RecordBatch> {
    let columns = frame.columns().iter().map(|column| {
        let series = column.as_materialized_series().rechunk();
        let array = cross(series.to_arrow(0, CompatLevel::oldest())).map_err(|e| internal(&e))?;
        let field = Field::new(column.name().as_str(), array.data_type().clone(), true);
        Ok((field, array))
    });
    let (fields, arrays): (Vec<_>, Vec<_>) =
        columns.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(frame.height()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
        .map_err(|e| internal(&e))
}

/// The record batch as a frame: the inverse of [`record_batch`]. Timestamps
/// lose their zone, which must be UTC: the numbers stay.
///
/// # Errors
///
/// [`Error::Internal`] for a type that no table of ours has.
pub fn data_frame(batch: &RecordBatch) -> Result<DataFrame> {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, array)| {
        let series = export(field.name(), array)
            .map_err(|e| internal(&format!("column {}: {e}", field.name())))?;
        Ok(Column::from(series))
    });
    DataFrame::new(batch.num_rows(), columns.collect::<Result<_>>()?).map_err(|e| internal(&e))
}

fn internal(e: &dyn std::fmt::Display) -> Error {
    Error::Internal { stage: "the Arrow bridge", message: e.to_string() }
}

fn export(name: &str, array: &ArrayRef) -> Result<Series, Cause> {
    let array = conform(Arc::clone(array), &polars_type(array.data_type())?)?;
    Ok(Series::try_from((PlSmallStr::from(name), cross_back(&array)?))?)
}

/// The type under which Polars holds the same values in the same buffers.
fn polars_type(ty: &DataType) -> Result<DataType, ArrowError> {
    Ok(match ty {
        DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::Float64
        | DataType::Date32
        | DataType::Utf8View
        | DataType::BinaryView => ty.clone(),
        DataType::Utf8 => DataType::Utf8View,
        DataType::LargeBinary => DataType::BinaryView,
        DataType::Timestamp(TimeUnit::Microsecond, zone)
            if zone.as_deref().is_none_or(|zone| zone == "UTC") =>
        {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        DataType::LargeList(element) => {
            let ty = polars_type(element.data_type())?;
            DataType::LargeList(Arc::new(element.as_ref().clone().with_data_type(ty)))
        }
        ty => return Err(ArrowError::SchemaError(format!("{ty} is no type of a table"))),
    })
}

fn import(column: &Column, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let series = column.as_materialized_series().rechunk();
    if series.is_empty() {
        return Ok(new_empty_array(wanted));
    }
    conform(cross(series.to_arrow(0, CompatLevel::newest()))?, wanted)
}

/// One array over the border, with all its buffers.
#[allow(unsafe_code, reason = "the Arrow C data interface is a C ABI; there is no safe door")]
fn cross(array: Box<dyn PolarsArray>) -> Result<ArrayRef, ArrowError> {
    let field = PolarsField::new("".into(), array.dtype().clone(), true);
    let schema = export_field_to_c(&field);
    let array = export_array_to_c(array);
    // SAFETY: each pair is the same `#[repr(C)]` struct of the C data interface
    // under two names, and moving it moves the ownership that its `release`
    // callback stands for: nothing is freed twice. `transmute` checks the sizes.
    let (array, schema) = unsafe {
        (
            std::mem::transmute::<polars_arrow::ffi::ArrowArray, FFI_ArrowArray>(array),
            std::mem::transmute::<polars_arrow::ffi::ArrowSchema, FFI_ArrowSchema>(schema),
        )
    };
    // SAFETY: the schema was exported from the very type of the array, by the
    // same library, so that buffers and lengths are those that the type asks for.
    let data = unsafe { from_ffi(array, &schema) }?;
    Ok(make_array(data))
}

/// One array over the border the other way, with all its buffers.
#[allow(unsafe_code, reason = "the Arrow C data interface is a C ABI; there is no safe door")]
fn cross_back(array: &dyn Array) -> Result<Box<dyn PolarsArray>, Cause> {
    let (array, schema) = to_ffi(&array.to_data())?;
    // SAFETY: as in `cross`: one struct of the C data interface under two names,
    // whose ownership moves with it. `transmute` checks the sizes.
    let (array, schema) = unsafe {
        (
            std::mem::transmute::<FFI_ArrowArray, polars_arrow::ffi::ArrowArray>(array),
            std::mem::transmute::<FFI_ArrowSchema, polars_arrow::ffi::ArrowSchema>(schema),
        )
    };
    // SAFETY: the schema was exported by arrow-rs and is not released before the
    // end of this function; the field owns what it takes from it.
    let field = unsafe { import_field_from_c(&schema) }?;
    // SAFETY: array and schema were exported from the same data, which arrow-rs
    // holds valid: lengths, offsets and UTF-8 are those that the type asks for.
    // The array keeps the buffers alive, and nobody writes to them.
    Ok(unsafe { import_array_from_c(array, field.dtype) }?)
}

/// The same values under the wanted type. Types differ in names, the zone of
/// timestamps and the field of list elements, and in whether texts and bytes
/// are views.
fn conform(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    match (array.data_type(), wanted) {
        (is, wanted) if is == wanted => Ok(array),
        (
            DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)),
        ) => {
            let naive = array.as_primitive::<TimestampMicrosecondType>().clone();
            Ok(Arc::new(naive.with_timezone(Arc::clone(zone))))
        }
        (
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)),
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ) => {
            let zoned = array.as_primitive::<TimestampMicrosecondType>().clone();
            Ok(Arc::new(zoned.with_timezone_opt(None::<Arc<str>>)))
        }
        (DataType::Utf8, DataType::Utf8View)
        | (DataType::Utf8View, DataType::Utf8)
        | (DataType::LargeBinary, DataType::BinaryView)
        | (DataType::BinaryView, DataType::LargeBinary) => cast(&array, wanted),
        (DataType::LargeList(_), DataType::LargeList(element)) => {
            let (_, offsets, values, nulls) = array.as_list::<i64>().clone().into_parts();
            let values = conform(values, element.data_type())?;
            Ok(Arc::new(LargeListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
        }
        (is, wanted) => Err(ArrowError::SchemaError(format!("is {is}, not {wanted}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Float64Builder,
        Int32Array, Int64Array, LargeListBuilder, StringViewArray, StringViewBuilder,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::{Field, Schema, SchemaRef};
    use polars::prelude::*;

    use arrow::array::{LargeBinaryArray, StringArray};
    use arrow::record_batch::RecordBatch;

    use super::{data_frame, record_batch};
    use crate::Error;

    type ArrowType = arrow::datatypes::DataType;

    fn element(ty: ArrowType) -> Arc<arrow::datatypes::Field> {
        Arc::new(arrow::datatypes::Field::new("element", ty, true))
    }

    fn list_of(series: Vec<Option<Series>>) -> Series {
        let mut list: ListChunked = series.into_iter().collect();
        list.rename("v".into());
        list.into_series()
    }

    /// A column of every type, five rows each, and what it must become.
    fn cases() -> Vec<(Series, ArrayRef)> {
        let long = "a text that is longer than the twelve bytes of a view";
        let times = vec![Some(0), None, Some(-1), Some(1_700_000_000_123_456), Some(7)];
        let days = vec![Some(0), Some(-719_162), None, Some(20_000), Some(1)];
        let mut floats =
            LargeListBuilder::new(Float64Builder::new()).with_field(element(ArrowType::Float64));
        floats.append_value([Some(1.5), None]);
        floats.append_null();
        floats.append_value([]);
        floats.append_value([None]);
        floats.append_value([Some(-2.0), Some(3.0), Some(4.0)]);
        let mut texts = LargeListBuilder::new(StringViewBuilder::new())
            .with_field(element(ArrowType::Utf8View));
        texts.append_value([Some(long), None]);
        texts.append_value([None::<&str>; 0]);
        texts.append_null();
        texts.append_value([Some("b")]);
        texts.append_value([Some("")]);
        let name = PlSmallStr::from("v");
        vec![
            (
                Series::new(name.clone(), [Some(1i32), None, Some(i32::MIN), Some(4), Some(5)]),
                Arc::new(Int32Array::from(vec![Some(1), None, Some(i32::MIN), Some(4), Some(5)])),
            ),
            (
                Series::new(name.clone(), [1i64, 2, i64::MAX, 4, 5]),
                Arc::new(Int64Array::from(vec![1, 2, i64::MAX, 4, 5])),
            ),
            (
                Series::new(name.clone(), [Some(0.5f64), None, None, Some(-0.0), Some(1e300)]),
                Arc::new(Float64Array::from(vec![Some(0.5), None, None, Some(-0.0), Some(1e300)])),
            ),
            (
                Series::new(name.clone(), [Some(true), None, Some(false), Some(true), None]),
                Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), None])),
            ),
            (
                Series::new(name.clone(), [Some(long), None, Some(""), Some("é"), Some(long)]),
                Arc::new(StringViewArray::from(vec![
                    Some(long),
                    None,
                    Some(""),
                    Some("é"),
                    Some(long),
                ])),
            ),
            (
                Series::new(name.clone(), times.clone())
                    .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
                    .unwrap(),
                Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")),
            ),
            (
                Series::new(name, days.clone()).cast(&DataType::Date).unwrap(),
                Arc::new(Date32Array::from(days)),
            ),
            (
                list_of(vec![
                    Some(Series::new("".into(), [Some(1.5f64), None])),
                    None,
                    Some(Series::new_empty("".into(), &DataType::Float64)),
                    Some(Series::new("".into(), [None::<f64>])),
                    Some(Series::new("".into(), [-2.0, 3.0, 4.0])),
                ]),
                Arc::new(floats.finish()),
            ),
            (
                list_of(vec![
                    Some(Series::new("".into(), [Some(long), None])),
                    Some(Series::new_empty("".into(), &DataType::String)),
                    None,
                    Some(Series::new("".into(), ["b"])),
                    Some(Series::new("".into(), [""])),
                ]),
                Arc::new(texts.finish()),
            ),
        ]
    }

    fn schema_of(array: &ArrayRef) -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("v", array.data_type().clone(), true)]))
    }

    fn crossed(series: Series, wanted: &ArrayRef) -> ArrayRef {
        let frame = series.into_frame();
        Arc::clone(record_batch(&frame, &schema_of(wanted)).unwrap().column(0))
    }

    #[test]
    fn every_type_keeps_its_values_and_nulls() {
        for (series, wanted) in cases() {
            assert_eq!(&crossed(series, &wanted), &wanted);
        }
    }

    #[test]
    fn slices_and_chunks_keep_their_values() {
        for (series, wanted) in cases() {
            for (offset, len) in [(0, 5), (1, 3), (3, 2), (4, 1), (2, 0)] {
                let sliced = series.slice(offset as i64, len);
                assert_eq!(&crossed(sliced.clone(), &wanted), &wanted.slice(offset, len));
                let mut chunked = sliced;
                chunked.append(&series).unwrap();
                let whole = crossed(chunked, &wanted);
                assert_eq!(&whole.slice(0, len), &wanted.slice(offset, len));
                assert_eq!(&whole.slice(len, 5), &wanted);
            }
        }
    }

    #[test]
    fn empty_frames_keep_their_columns() {
        for (series, wanted) in cases() {
            let empty = series.clear();
            assert_eq!(crossed(empty, &wanted).data_type(), wanted.data_type());
        }
    }

    #[test]
    fn buffers_outlive_the_frame_and_are_not_copied() {
        let series = Series::new("v".into(), (0..1000i64).collect::<Vec<_>>());
        let address = series.i64().unwrap().cont_slice().unwrap().as_ptr();
        let wanted: ArrayRef = Arc::new(Int64Array::from((0..1000).collect::<Vec<_>>()));
        let array = crossed(series, &wanted);
        assert_eq!(array.as_primitive::<arrow::datatypes::Int64Type>().values().as_ptr(), address);
        assert_eq!(&array, &wanted);
    }

    fn crossed_back(array: &ArrayRef) -> Series {
        let batch = RecordBatch::try_new(schema_of(array), vec![Arc::clone(array)]).unwrap();
        let frame = data_frame(&batch).unwrap();
        assert_eq!(frame.height(), array.len());
        frame.column("v").unwrap().as_materialized_series().clone()
    }

    #[test]
    fn every_type_comes_back_with_its_values_and_nulls() {
        for (series, array) in cases() {
            let back = crossed_back(&array);
            assert_eq!(back.dtype(), series.dtype());
            assert!(back.equals_missing(&series), "{back} {series}");
            assert_eq!(back.null_count(), series.null_count());
        }
    }

    #[test]
    fn slices_come_back_and_go_forth_again() {
        for (series, array) in cases() {
            for (offset, len) in [(0, 5), (1, 3), (3, 2), (4, 1), (2, 0), (0, 0)] {
                let sliced = array.slice(offset, len);
                let back = crossed_back(&sliced);
                assert_eq!(back.dtype(), series.dtype());
                assert!(back.equals_missing(&series.slice(offset as i64, len)));
                assert_eq!(&crossed(back, &array), &sliced);
            }
        }
    }

    #[test]
    fn long_columns_with_nulls_at_every_bit_come_back() {
        let numbers = (0..1000i64).map(|n| (n % 7 != 3).then_some(n));
        let array: ArrayRef = Arc::new(numbers.clone().collect::<Int64Array>());
        let flags: ArrayRef =
            Arc::new(numbers.map(|n| n.map(|n| n % 3 == 0)).collect::<BooleanArray>());
        for offset in 0..70 {
            for array in [&array, &flags] {
                let sliced = array.slice(offset, 900);
                assert_eq!(&crossed(crossed_back(&sliced), &sliced), &sliced);
            }
        }
    }

    #[test]
    fn texts_and_bytes_that_are_no_views_make_the_round_trip() {
        let long = "a text that is longer than the twelve bytes of a view";
        let bytes: Vec<Option<&[u8]>> = vec![Some(&[0xff, 0]), None, Some(b""), Some(&[7; 40])];
        let arrays: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("é"), None, Some(""), Some(long)])),
            Arc::new(LargeBinaryArray::from(bytes)),
            Arc::new(StringViewArray::from(vec![None::<&str>; 4])),
        ];
        for array in arrays {
            for sliced in [array.slice(0, 4), array.slice(1, 2), array.slice(0, 0)] {
                assert_eq!(&crossed(crossed_back(&sliced), &sliced), &sliced);
            }
        }
    }

    #[test]
    fn buffers_outlive_the_batch_and_are_not_copied() {
        let array: ArrayRef = Arc::new(Int64Array::from((0..1000).collect::<Vec<_>>()));
        let address = array.as_primitive::<arrow::datatypes::Int64Type>().values().as_ptr();
        let back = crossed_back(&array);
        drop(array);
        let values = back.i64().unwrap().cont_slice().unwrap();
        assert_eq!(values.as_ptr(), address);
        assert_eq!(values[999], 999);
    }

    #[test]
    fn batches_without_columns_or_of_foreign_types_are_told_apart() {
        let options = arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(3));
        let none = Arc::new(Schema::empty());
        let batch = RecordBatch::try_new_with_options(none, vec![], &options).unwrap();
        let frame = data_frame(&batch).unwrap();
        assert_eq!((frame.height(), frame.width()), (3, 0));
        let paris = TimestampMicrosecondArray::from(vec![0]).with_timezone("Europe/Paris");
        let foreign: [ArrayRef; 2] =
            [Arc::new(arrow::array::UInt8Array::from(vec![1])), Arc::new(paris)];
        for array in foreign {
            let batch = RecordBatch::try_new(schema_of(&array), vec![array]).unwrap();
            let error = data_frame(&batch).unwrap_err();
            assert!(matches!(error, Error::Internal { .. }), "{error}");
        }
    }

    #[test]
    fn a_missing_column_or_another_type_is_an_internal_error() {
        let frame = df!("v" => ["a"], "w" => [1i64]).unwrap();
        for (name, ty) in [("v", ArrowType::Int64), ("x", ArrowType::Int64)] {
            let schema = Arc::new(Schema::new(vec![Field::new(name, ty, true)]));
            let error = record_batch(&frame, &schema).unwrap_err();
            assert!(matches!(error, Error::Internal { .. }), "{error}");
        }
    }
}
