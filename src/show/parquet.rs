//! A Parquet file of a frame.

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow::record_batch::RecordBatch;
use polars::prelude::{Column, DataFrame, DataType, Field, TimeUnit, TimeZone};

use super::internal;
use crate::arrow_bridge;
use crate::{Error, Result};

/// The frame as a Parquet file, of the types that every reader has: integers of
/// 8 and 16 bits and counts become wider, those of 128 bits decimals of 38
/// digits, timestamps microseconds in UTC, arrays lists, and a column of nothing
/// but nulls one of texts.
///
/// # Errors
///
/// [`Error::Usage`] for a number of more than 38 digits.
pub fn parquet(frame: &DataFrame) -> Result<Vec<u8>> {
    let columns = frame.columns().iter().map(widened).collect::<Result<Vec<_>>>()?;
    let frame = DataFrame::new(frame.height(), columns).map_err(internal)?;
    let batch: RecordBatch = arrow_bridge::own_batch(&frame)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("pinclean ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).map_err(internal)?;
    writer.write(&batch).map_err(internal)?;
    writer.into_inner().map_err(internal)
}

fn widened(column: &Column) -> Result<Column> {
    let ty = wide(column.dtype());
    column.strict_cast(&ty).map_err(|e| {
        Error::Usage(format!("column {} cannot be written as Parquet: {e}", column.name()))
    })
}

fn wide(ty: &DataType) -> DataType {
    match ty {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::Int128 | DataType::UInt128 => DataType::Decimal(38, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Datetime(..) => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        DataType::Null => DataType::String,
        DataType::List(of) | DataType::Array(of, _) => DataType::List(Box::new(wide(of))),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|f| Field::new(f.name.clone(), wide(&f.dtype)));
            DataType::Struct(fields.collect())
        }
        ty => ty.clone(),
    }
}
