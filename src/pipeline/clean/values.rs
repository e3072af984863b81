//! Which columns have a value in some row.

use std::collections::BTreeSet;

use polars::prelude::*;
use polars_arrow::array::Array;

/// Returns the columns of a frame, by their place, that are not null in every row. A
/// list of nothing but nulls is as null.
pub fn columns_with_values(frame: &DataFrame) -> BTreeSet<usize> {
    let columns = frame.columns().iter().enumerate();
    columns.filter(|(_, column)| has_value(column)).map(|(place, _)| place).collect()
}

fn has_value(column: &Column) -> bool {
    if column.null_count() == column.len() {
        return false;
    }
    if !column.dtype().is_list() {
        return true;
    }
    column.list().into_iter().flat_map(ListChunked::downcast_iter).any(|lists| {
        let values = lists.values();
        if values.null_count() < values.len() {
            return true;
        }
        // No element is a value. An empty list is one all the same.
        let mut lengths = lists.offsets().lengths().enumerate();
        lengths.any(|(row, length)| length == 0 && lists.is_valid(row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type List = Option<Vec<Option<f64>>>;

    fn of_lists(rows: &[List]) -> bool {
        let lists = rows.iter().map(|row| row.as_ref().map(|list| Series::new("".into(), list)));
        let dtype = DataType::List(Box::new(DataType::Float64));
        let lists = Series::new("l".into(), lists.collect::<Vec<_>>()).cast(&dtype).unwrap();
        let frame = DataFrame::new(rows.len(), vec![lists.into_column()]).unwrap();
        !columns_with_values(&frame).is_empty()
    }

    #[test]
    fn a_list_of_nulls_is_no_value_and_an_empty_one_is() {
        let cases: [(&[List], bool); 8] = [
            (&[], false),
            (&[None], false),
            (&[None, Some(vec![None, None])], false),
            (&[Some(vec![None, None]), Some(vec![None])], false),
            (&[Some(vec![None, Some(1.5)])], true),
            (&[None, Some(vec![]), Some(vec![None])], true),
            (&[Some(vec![])], true),
            (&[Some(vec![Some(0.0)]), None], true),
        ];
        for (rows, expected) in cases {
            assert_eq!(of_lists(rows), expected, "{rows:?}");
        }
    }

    #[test]
    fn a_column_has_a_value_if_one_row_has() {
        let column = |values: [Option<i32>; 2]| Column::new("".into(), values.to_vec());
        let named =
            |(place, values)| column(values).with_name(PlSmallStr::from_string(format!("{place}")));
        let columns = [[None, None], [None, Some(0)], [Some(1), Some(2)]];
        let columns: Vec<Column> = columns.into_iter().enumerate().map(named).collect();
        let frame = DataFrame::new(2, columns).unwrap();
        assert_eq!(columns_with_values(&frame), BTreeSet::from([1, 2]));
        assert_eq!(columns_with_values(&frame.head(Some(1))), BTreeSet::from([2]));
        assert_eq!(columns_with_values(&frame.head(Some(0))), BTreeSet::new());
    }
}
