//! The columns of a table, for Arrow and for the manifest.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::spec::{
    KAFKA_OFFSET, KAFKA_PARTITION, KAFKA_TOPIC, RESCUED, Scalar, Spec, Type, Unknown,
};

/// What a table with [`Spec::unique_by`] says of each row's record.
const ORIGIN: [(&str, Type); 3] = [
    (KAFKA_TOPIC, Type::Scalar(Scalar::String)),
    (KAFKA_PARTITION, Type::Scalar(Scalar::Int32)),
    (KAFKA_OFFSET, Type::Scalar(Scalar::Int64)),
];

/// A column of a table, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as the transforms spell it: `int32`, `list<float64>`.
    #[serde(rename = "type")]
    pub ty: String,
}

/// The columns of a spec's table, in order.
pub fn fields(spec: &Spec) -> Vec<Field> {
    columns(spec).map(|(name, ty)| Field { name: name.to_owned(), ty: ty.to_string() }).collect()
}

/// The Arrow schema of a spec's table. Every column may be null, as in tables
/// that Spark writes: a column that ceases to be required stays the same.
pub fn table_schema(spec: &Spec) -> SchemaRef {
    let fields = columns(spec).map(|(name, ty)| ArrowField::new(name, arrow_type(ty), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The Arrow schema of columns as a manifest lists them; nothing if one is of a
/// type that no transform has.
pub fn schema_of(fields: &[Field]) -> Option<SchemaRef> {
    let fields = fields
        .iter()
        .map(|field| Some(ArrowField::new(&field.name, arrow_type(Type::named(&field.ty)?), true)));
    Some(Arc::new(Schema::new(fields.collect::<Option<Vec<_>>>()?)))
}

fn columns(spec: &Spec) -> impl Iterator<Item = (&str, Type)> {
    let rescued =
        (spec.unknown == Unknown::Keep).then_some((RESCUED, Type::Scalar(Scalar::String)));
    let visible = spec.columns.iter().filter(|column| !column.hidden);
    let origin = match spec.unique_by.is_empty() {
        true => &[][..],
        false => &ORIGIN,
    };
    let added = rescued.into_iter().chain(origin.iter().copied());
    visible.map(|column| (column.name.as_str(), column.ty)).chain(added)
}

fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::Scalar(scalar) => arrow_scalar(scalar),
        // The name of the element is the one that the Parquet format asks for.
        Type::List(scalar) => {
            DataType::LargeList(Arc::new(ArrowField::new("element", arrow_scalar(scalar), true)))
        }
    }
}

fn arrow_scalar(scalar: Scalar) -> DataType {
    match scalar {
        Scalar::Int32 => DataType::Int32,
        Scalar::Int64 => DataType::Int64,
        Scalar::Float64 => DataType::Float64,
        Scalar::String => DataType::Utf8View,
        Scalar::Bool => DataType::Boolean,
        Scalar::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Scalar::Date => DataType::Date32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_manifest_are_those_of_the_table() {
        for spec in crate::spec::load(None).unwrap() {
            assert_eq!(schema_of(&fields(&spec)).unwrap(), table_schema(&spec), "{}", spec.table);
        }
        for ty in Type::all() {
            let field = Field { name: "a".into(), ty: ty.to_string() };
            let schema = schema_of(&[field]).unwrap();
            assert_eq!(*schema.field(0).data_type(), arrow_type(ty), "{ty}");
        }
        for ty in ["", "int", "list<>", "list<list<string>>", "list<string"] {
            assert_eq!(schema_of(&[Field { name: "a".into(), ty: ty.into() }]), None, "{ty}");
        }
    }
}
