//! The columns of a file → those of the schema wanted.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    StringViewArray, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use delta_kernel::expressions::Scalar;
use delta_kernel::schema::PrimitiveType;
use parquet::errors::{ParquetError, Result};

/// Where each wanted column comes from.
pub(super) struct Columns {
    wanted: SchemaRef,
    from: Vec<From>,
}

enum From {
    /// The file's column of this name.
    File(String),
    /// The same in each row: an array of one value.
    Constant(ArrayRef),
}

impl Columns {
    pub(super) fn new(
        wanted: &SchemaRef,
        file: &Schema,
        partition: &BTreeMap<String, Option<String>>,
    ) -> Result<Columns> {
        let from = wanted.fields().iter().map(|field| from(field, file, partition));
        Ok(Columns { wanted: Arc::clone(wanted), from: from.collect::<Result<_>>()? })
    }

    /// The file's schema, with the wanted types where its bytes can be read as
    /// such without a conversion.
    pub(super) fn hinted(&self, file: &Schema) -> SchemaRef {
        let fields = file.fields().iter().map(|field| {
            let wanted = self.wanted.field_with_name(field.name());
            let ty = wanted.map_or_else(
                |_| field.data_type().clone(),
                |wanted| hint(field.data_type(), wanted.data_type()),
            );
            field.as_ref().clone().with_data_type(ty)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The file's columns that are to be read, by their place in it.
    pub(super) fn roots(&self, file: &Schema) -> Vec<usize> {
        let names = self.from.iter().filter_map(|from| match from {
            From::File(name) => Some(name),
            From::Constant(_) => None,
        });
        names.filter_map(|name| file.index_of(name).ok()).collect()
    }

    /// A batch of the file's columns as one of the wanted schema.
    pub(super) fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let repeat = UInt32Array::from_value(0, rows);
        let columns = self.from.iter().zip(self.wanted.fields()).map(|(from, field)| match from {
            From::Constant(value) => take(value, &repeat, None),
            From::File(name) => {
                let column = batch.column(batch.schema_ref().index_of(name)?);
                cast(column, field.data_type())
            }
        });
        let columns = columns.collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.wanted), columns, &options)
    }
}

fn from(
    field: &Field,
    file: &Schema,
    partition: &BTreeMap<String, Option<String>>,
) -> Result<From> {
    let (name, wanted) = (field.name(), field.data_type());
    if let Some(value) = partition.get(name) {
        return constant(value.as_deref(), wanted).map(From::Constant).ok_or_else(|| {
            let value = value.as_deref().unwrap_or_default();
            ParquetError::General(format!("partition column {name}: {value:?} is no {wanted}"))
        });
    }
    let Ok(found) = file.field_with_name(name) else {
        return Ok(From::Constant(new_null_array(wanted, 1)));
    };
    let is = hint(found.data_type(), wanted);
    if !fits(&is, wanted) {
        return Err(ParquetError::General(format!("column {name} is {is}, not {wanted}")));
    }
    Ok(From::File(name.clone()))
}

/// What the Parquet reader can make of a column by itself.
fn hint(is: &DataType, wanted: &DataType) -> DataType {
    use TimeUnit::{Microsecond, Nanosecond};
    match (is, wanted) {
        (DataType::Utf8, DataType::Utf8View)
        | (DataType::Binary, DataType::LargeBinary | DataType::BinaryView)
        // What Spark writes by default (INT96); nanoseconds would end in 2262.
        | (DataType::Timestamp(Nanosecond, None), DataType::Timestamp(Microsecond, _)) => {
            wanted.clone()
        }
        (DataType::List(is), DataType::LargeList(wanted)) => {
            let element = hint(is.data_type(), wanted.data_type());
            DataType::LargeList(Arc::new(is.as_ref().clone().with_data_type(element)))
        }
        (is, _) => is.clone(),
    }
}

/// Whether a column can be taken as the wanted type with no value changed.
fn fits(is: &DataType, wanted: &DataType) -> bool {
    match (is, wanted) {
        (is, wanted) if is == wanted => true,
        (DataType::Int32, DataType::Int64 | DataType::Float64) => true,
        (DataType::LargeList(is), DataType::LargeList(wanted)) => {
            fits(is.data_type(), wanted.data_type())
        }
        _ => false,
    }
}

/// A partition value as an array of one; `None` if it is none of the type. An
/// empty one is null (PROTOCOL.md, "Partition Value Serialization").
fn constant(value: Option<&str>, wanted: &DataType) -> Option<ArrayRef> {
    let ty = match wanted {
        DataType::Int32 => PrimitiveType::Integer,
        DataType::Int64 => PrimitiveType::Long,
        DataType::Float64 => PrimitiveType::Double,
        DataType::Boolean => PrimitiveType::Boolean,
        DataType::Utf8 | DataType::Utf8View => PrimitiveType::String,
        DataType::Date32 => PrimitiveType::Date,
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => PrimitiveType::Timestamp,
        _ => return None,
    };
    let one: ArrayRef = match ty.parse_scalar(value.unwrap_or_default()).ok()? {
        Scalar::Null(_) => new_null_array(wanted, 1),
        Scalar::Integer(n) => Arc::new(Int32Array::from(vec![n])),
        Scalar::Long(n) => Arc::new(Int64Array::from(vec![n])),
        Scalar::Double(n) => Arc::new(Float64Array::from(vec![n])),
        Scalar::Boolean(b) => Arc::new(BooleanArray::from(vec![b])),
        Scalar::String(text) => Arc::new(StringViewArray::from(vec![text])),
        Scalar::Date(days) => Arc::new(Date32Array::from(vec![days])),
        Scalar::Timestamp(micros) => {
            let zone = match wanted {
                DataType::Timestamp(_, zone) => zone.clone(),
                _ => None,
            };
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone_opt(zone))
        }
        _ => return None,
    };
    if one.data_type() == wanted { Some(one) } else { cast(&one, wanted).ok() }
}
