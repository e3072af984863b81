//! Which columns of a file get a dictionary.

use std::collections::HashSet;
use std::hash::Hash;

use arrow::array::{Array, ArrayRef, AsArray, downcast_primitive_array};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use parquet::schema::types::ColumnPath;

/// Values of the first batch that are looked at, at most: spread over all of it, as
/// records that are near to each other are more alike than others.
const SAMPLE: usize = 2048;
/// Fewer values tell nothing.
const ENOUGH: u32 = 256;

/// The columns whose values hardly ever repeat. A dictionary would hash each of
/// their values, and be given up or be larger than they are.
///
/// `first` are the first rows of the file; without rows it is raw records alone.
pub(super) fn without_dictionary(first: &RecordBatch) -> Vec<ColumnPath> {
    let fields = first.schema_ref().fields().iter();
    let columns = fields.zip(first.columns()).filter(|(_, array)| is_unique(array));
    columns.map(|(field, _)| leaf(field.name(), field.data_type())).collect()
}

/// The path of a column's values. A list of lists is no type of a table.
fn leaf(name: &str, ty: &DataType) -> ColumnPath {
    match ty {
        DataType::LargeList(element) => {
            ColumnPath::new(vec![name.to_owned(), "list".to_owned(), element.name().clone()])
        }
        _ => ColumnPath::from(name),
    }
}

fn is_unique(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let ends = list.offsets().first().zip(list.offsets().last());
            let (start, end) = ends.map_or((0, 0), |(start, end)| (*start as usize, *end as usize));
            is_unique(&list.values().slice(start, end - start))
        }
        // Raw records: as good as unique, and of up to 16 MiB.
        DataType::LargeBinary => true,
        DataType::Utf8 => rarely_repeat(array, |row| array.as_string::<i32>().value(row)),
        DataType::Utf8View => rarely_repeat(array, |row| array.as_string_view().value(row)),
        _ => downcast_primitive_array!(
            array => {
                let width = array.data_type().primitive_width().unwrap_or(1);
                let values = array.values().inner().as_slice();
                rarely_repeat(array, |row| &values[row * width..(row + 1) * width])
            },
            // Booleans: of two values, and never in a dictionary.
            _ => false,
        ),
    }
}

/// Whether the values, but for nulls, are there less than about twice each.
fn rarely_repeat<V: Hash + Eq>(array: &dyn Array, value: impl Fn(usize) -> V) -> bool {
    let all = array.len() - array.null_count();
    let step = all.div_ceil(SAMPLE).max(1);
    let (mut seen, mut sampled) = (HashSet::with_capacity(SAMPLE), 0);
    for row in (0..array.len()).filter(|row| array.is_valid(*row)).step_by(step) {
        seen.insert(value(row));
        sampled += 1;
    }
    let all = all as f64;
    // As many different ones a sample has on average if half of all are different.
    let expected = all / 2.0 * (1.0 - (-2.0 * f64::from(sampled) / all).exp());
    sampled >= ENOUGH && seen.len() as f64 > expected
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Float64Array, Int32Array, Int64Array, LargeBinaryArray, LargeListArray,
        StringArray, StringViewArray, TimestampMicrosecondArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Field;

    use super::*;

    fn unique(array: impl Array + 'static) -> bool {
        is_unique(&(Arc::new(array) as ArrayRef))
    }

    #[test]
    fn values_of_every_type_are_told_apart() {
        for (distinct, expected) in [(5000, true), (4000, true), (700, false), (3, false)] {
            let n = || (0..5000i64).map(|n| n % distinct);
            let text = || n().map(|n| Some(format!("a text longer than a view holds, {n}")));
            assert_eq!(unique(Int64Array::from_iter_values(n())), expected, "{distinct}");
            assert_eq!(unique(Int32Array::from_iter_values(n().map(|n| n as i32))), expected);
            assert_eq!(unique(Float64Array::from_iter_values(n().map(|n| n as f64))), expected);
            assert_eq!(unique(TimestampMicrosecondArray::from_iter_values(n())), expected);
            assert_eq!(unique(text().collect::<StringArray>()), expected);
            assert_eq!(unique(text().collect::<StringViewArray>()), expected);
        }
        assert!(!unique((0..5000).map(|n| Some(n % 2 == 0)).collect::<BooleanArray>()));
        assert!(unique(LargeBinaryArray::from(vec![&b"{}"[..]])));
    }

    #[test]
    fn nulls_and_what_lies_below_them_do_not_count() {
        let rare = (0..100_000i64).map(|n| (n % 100 == 0).then_some(n));
        assert!(unique(rare.clone().collect::<Int64Array>()));
        assert!(unique(rare.map(|n| n.map(|n| n.to_string())).collect::<StringViewArray>()));
        assert!(!unique(Int64Array::new_null(5000)));
    }

    #[test]
    fn a_few_that_are_near_to_each_other_do_not_make_a_column_repeat() {
        let in_pairs = (0..50_000i64).map(|n| if n % 10 == 9 { n - 1 } else { n });
        assert!(unique(Int64Array::from_iter_values(in_pairs)));
        let mut n = 1u64;
        let mut drawn = |of: u64| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((n >> 33) % of) as i64
        };
        assert!(!unique(Int64Array::from_iter_values((0..50_000).map(|_| drawn(10_000)))));
        assert!(unique(Int64Array::from_iter_values((0..50_000).map(|_| drawn(100_000)))));
    }

    #[test]
    fn a_slice_is_judged_by_its_own_values() {
        let half = (0..8192i64).map(|n| n.max(4096));
        let array = Int64Array::from_iter_values(half);
        assert!(!unique(array.slice(0, 4096)));
        assert!(unique(array.slice(4096, 4096)));
    }

    #[test]
    fn few_values_keep_their_dictionary() {
        assert!(!unique(Int64Array::from_iter_values(0..255)));
        assert!(unique(Int64Array::from_iter_values(0..256)));
    }

    #[test]
    fn a_list_is_named_by_the_path_of_its_values() {
        let element = Arc::new(Field::new("element", DataType::Float64, true));
        let values = Arc::new(Float64Array::from_iter_values((0..1000).map(f64::from)));
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(2, 500));
        let list: ArrayRef = Arc::new(LargeListArray::new(element, offsets, values, None));
        let same: ArrayRef = Arc::new(Int64Array::from(vec![7; 500]));
        let batch = RecordBatch::try_from_iter([("same", same), ("at", list)]).unwrap();
        let columns = without_dictionary(&batch);
        assert_eq!(columns.iter().map(ColumnPath::string).collect::<Vec<_>>(), ["at.list.element"]);
        assert_eq!(without_dictionary(&batch.slice(0, 0)), []);
    }
}
