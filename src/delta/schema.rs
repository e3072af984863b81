//! A table's columns: as Arrow, and as the log has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef, TimeUnit};
use delta_kernel::schema::{
    ArrayType, DataType, MetadataValue, PrimitiveType, StructField, StructType,
};

/// The key under which Spark shows a column's comment.
const COMMENT: &str = "comment";

/// The columns as the log has them, in order. Every column may be null.
///
/// # Errors
/// A type that no transform can ask for.
pub fn struct_type(schema: &Schema, comments: &BTreeMap<&str, &str>) -> Result<StructType, String> {
    let fields = schema.fields().iter().map(|field| {
        let ty = delta_type(field.data_type())
            .ok_or_else(|| format!("column {} is {}", field.name(), field.data_type()))?;
        let comment = comments.get(field.name().as_str()).filter(|comment| !comment.is_empty());
        let comment = comment.map(|c| (COMMENT, MetadataValue::String((*c).to_owned())));
        Ok(StructField::nullable(field.name(), ty).with_metadata(comment))
    });
    let fields = fields.collect::<Result<Vec<_>, String>>()?;
    StructType::try_new(fields).map_err(|e| e.to_string())
}

/// The columns as the stages write them and as files are read; nothing if a type
/// is none that pinclean writes.
pub fn arrow_schema(schema: &StructType) -> Option<SchemaRef> {
    let fields = schema
        .fields()
        .map(|field| Some(Field::new(field.name(), arrow_type(field.data_type())?, true)));
    Some(Arc::new(Schema::new(fields.collect::<Option<Vec<_>>>()?)))
}

fn delta_type(ty: &Arrow) -> Option<DataType> {
    Some(match ty {
        Arrow::Int32 => DataType::INTEGER,
        Arrow::Int64 => DataType::LONG,
        Arrow::Float64 => DataType::DOUBLE,
        Arrow::Utf8 | Arrow::Utf8View | Arrow::LargeUtf8 => DataType::STRING,
        Arrow::Binary | Arrow::LargeBinary => DataType::BINARY,
        Arrow::Boolean => DataType::BOOLEAN,
        Arrow::Timestamp(TimeUnit::Microsecond, Some(_)) => DataType::TIMESTAMP,
        Arrow::Date32 => DataType::DATE,
        Arrow::List(element) | Arrow::LargeList(element) => {
            ArrayType::new(delta_type(element.data_type())?, true).into()
        }
        _ => return None,
    })
}

fn arrow_type(ty: &DataType) -> Option<Arrow> {
    Some(match ty {
        DataType::Primitive(PrimitiveType::Integer) => Arrow::Int32,
        DataType::Primitive(PrimitiveType::Long) => Arrow::Int64,
        DataType::Primitive(PrimitiveType::Double) => Arrow::Float64,
        DataType::Primitive(PrimitiveType::String) => Arrow::Utf8View,
        DataType::Primitive(PrimitiveType::Binary) => Arrow::LargeBinary,
        DataType::Primitive(PrimitiveType::Boolean) => Arrow::Boolean,
        DataType::Primitive(PrimitiveType::Timestamp) => {
            Arrow::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        DataType::Primitive(PrimitiveType::Date) => Arrow::Date32,
        DataType::Array(array) => {
            let element = Field::new("element", arrow_type(array.element_type())?, true);
            Arrow::LargeList(Arc::new(element))
        }
        _ => return None,
    })
}

/// How a table's columns become others without a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evolution {
    /// Columns that the table lacks: null in all rows that are there.
    pub added: Vec<String>,
    /// Columns whose type only widens. The files that are there have to be
    /// written anew, as readers go by one type.
    pub widened: Vec<String>,
}

impl Evolution {
    /// From the columns that are there to those that are wanted.
    ///
    /// # Errors
    /// The first difference that is neither, in words.
    pub fn of(there: &StructType, wanted: &StructType) -> Result<Evolution, String> {
        let mut evolution = Evolution { added: Vec::new(), widened: Vec::new() };
        let mut rest = there.fields().peekable();
        for field in wanted.fields() {
            match rest.next_if(|old| old.name() == field.name()) {
                None if there.field(field.name()).is_some() => {
                    return Err(format!("column {} stands at another place", field.name()));
                }
                None => evolution.added.push(field.name().clone()),
                Some(old) if old.data_type() == field.data_type() => {}
                Some(old) if widens(old.data_type(), field.data_type()) => {
                    evolution.widened.push(field.name().clone());
                }
                Some(old) => {
                    return Err(format!(
                        "column {} is {} in the table and {} in the transform",
                        field.name(),
                        show(old.data_type()),
                        show(field.data_type())
                    ));
                }
            }
        }
        match rest.next() {
            None => Ok(evolution),
            Some(old) if wanted.field(old.name()).is_some() => {
                Err(format!("column {} stands at another place", old.name()))
            }
            Some(old) => Err(format!("the transform lacks {}", old.name())),
        }
    }
}

/// Whether every value of a type is one of the other.
fn widens(from: &DataType, to: &DataType) -> bool {
    use PrimitiveType::{Double, Integer, Long};
    match (from, to) {
        (DataType::Primitive(Integer), DataType::Primitive(Long | Double)) => true,
        (DataType::Array(from), DataType::Array(to)) => {
            from.element_type() == to.element_type()
                || widens(from.element_type(), to.element_type())
        }
        _ => false,
    }
}

/// A type as the transforms spell it.
fn show(ty: &DataType) -> String {
    match ty {
        DataType::Primitive(PrimitiveType::Integer) => "int32".to_owned(),
        DataType::Primitive(PrimitiveType::Long) => "int64".to_owned(),
        DataType::Primitive(PrimitiveType::Double) => "float64".to_owned(),
        DataType::Primitive(PrimitiveType::Boolean) => "bool".to_owned(),
        DataType::Array(array) => format!("list<{}>", show(array.element_type())),
        ty => ty.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, DataType)]) -> StructType {
        let fields = columns.iter().map(|(name, ty)| StructField::nullable(*name, ty.clone()));
        StructType::try_new(fields).unwrap()
    }

    #[test]
    fn columns_may_be_added_and_widened_and_nothing_else() {
        let list = |ty: DataType| DataType::from(ArrayType::new(ty, true));
        let there = [("a", DataType::INTEGER), ("b", DataType::STRING)];
        let cases: &[(&[(&str, DataType)], Result<(&[&str], &[&str]), &str>)] = &[
            (&there, Ok((&[], &[]))),
            (&[there[0].clone(), ("n", DataType::DATE), there[1].clone()], Ok((&["n"], &[]))),
            (&[("a", DataType::LONG), there[1].clone()], Ok((&[], &["a"]))),
            (
                &[("a", DataType::DOUBLE), there[1].clone(), ("z", list(DataType::LONG))],
                Ok((&["z"], &["a"])),
            ),
            (&[there[1].clone(), there[0].clone()], Err("column b stands at another place")),
            (&[there[0].clone()], Err("the transform lacks b")),
            (&[there[1].clone()], Err("column b stands at another place")),
            (
                &[there[0].clone(), ("b", DataType::LONG)],
                Err("column b is string in the table and int64 in the transform"),
            ),
            (
                &[("a", list(DataType::INTEGER)), there[1].clone()],
                Err("column a is int32 in the table and list<int32> in the transform"),
            ),
        ];
        for (wanted, expected) in cases {
            let got = Evolution::of(&table(&there), &table(wanted));
            let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
            let expected = match expected {
                Ok((added, widened)) => {
                    Ok(Evolution { added: names(added), widened: names(widened) })
                }
                Err(problem) => Err((*problem).to_owned()),
            };
            assert_eq!(got, expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_wider_type_never_narrows_back() {
        let list = |ty: DataType| DataType::from(ArrayType::new(ty, true));
        for (from, to) in [
            (DataType::LONG, DataType::INTEGER),
            (DataType::LONG, DataType::DOUBLE),
            (DataType::DATE, DataType::TIMESTAMP),
            (list(DataType::LONG), list(DataType::INTEGER)),
        ] {
            assert!(Evolution::of(&table(&[("a", from)]), &table(&[("a", to)])).is_err());
        }
        let lists =
            (table(&[("a", list(DataType::INTEGER))]), table(&[("a", list(DataType::LONG))]));
        assert_eq!(Evolution::of(&lists.0, &lists.1).unwrap().widened, ["a"]);
    }

    #[test]
    fn columns_survive_the_way_to_the_log_and_back() {
        let specs = crate::spec::load(None).unwrap();
        for spec in &specs {
            let schema = crate::pipeline::write::table_schema(spec);
            let comments = BTreeMap::from([("ind", "Number of the post")]);
            let there = struct_type(&schema, &comments).unwrap();
            assert_eq!(arrow_schema(&there).unwrap(), schema, "{}", spec.table);
            let json = serde_json::to_value(&there).unwrap();
            assert_eq!(json["fields"][0]["metadata"]["comment"], "Number of the post");
        }
    }
}
