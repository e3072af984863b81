//! Columns of lists, made of their values.

use polars::prelude::*;
use polars_arrow::array::ListArray;
use polars_arrow::bitmap::Bitmap;
use polars_arrow::offset::Offsets;

/// Lists of values that stand one after the other, so many in each row.
///
/// # Errors
/// If the lengths sum up to more than there are values, or the validity is not
/// as long as they are.
pub fn list(
    values: &Series,
    lengths: impl Iterator<Item = usize>,
    validity: Option<Bitmap>,
) -> PolarsResult<Series> {
    let dtype = DataType::List(Box::new(values.dtype().clone()));
    let flat = values.to_physical_repr().rechunk();
    let flat = flat.chunks().first().cloned().ok_or_else(|| polars_err!(NoData: "no chunk"))?;
    let arrow = ListArray::<i64>::default_datatype(flat.dtype().clone());
    let offsets = Offsets::try_from_lengths(lengths)?;
    let array = ListArray::<i64>::try_new(arrow, offsets.into(), flat, validity)?;
    Series::from_chunk_and_dtype(values.name().clone(), Box::new(array), &dtype)
}

/// Columns of one type side by side: a list a row, with one value of each.
/// `concat_list` of Polars makes a series for each value, which is slow.
///
/// # Errors
/// If the columns differ in length or type, or there is none.
pub fn side_by_side(columns: &[Column]) -> PolarsResult<Column> {
    let Some((first, others)) = columns.split_first() else {
        polars_bail!(NoData: "no columns");
    };
    let (rows, width) = (first.len(), columns.len());
    let mut values = first.as_materialized_series().clone();
    for column in others {
        polars_ensure!(column.len() == rows, ShapeMismatch: "columns differ in length");
        values.append(column.as_materialized_series())?;
    }
    if width > 1 {
        let order =
            (0..rows).flat_map(|row| (0..width).map(move |at| (at * rows + row) as IdxSize));
        values = values.rechunk().take_slice(&order.collect::<Vec<_>>())?;
    }
    Ok(list(&values, std::iter::repeat_n(width, rows), None)?.into_column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column<T>(values: Vec<Option<T>>) -> Column
    where
        Series: NamedFrom<Vec<Option<T>>, [Option<T>]>,
    {
        Series::new("a".into(), values).into_column()
    }

    fn shown(columns: &[Column]) -> Vec<String> {
        let lists = side_by_side(columns).unwrap();
        let lists = lists.list().unwrap();
        let show = |list: Series| list.iter().map(|value| format!("{value} ")).collect::<String>();
        (0..lists.len())
            .map(|row| lists.get_as_series(row).map_or_else(String::new, show))
            .collect()
    }

    #[test]
    fn a_row_has_one_value_of_each_column() {
        let long = "longer than the twelve bytes of a view";
        let floats = [column(vec![Some(1.5), None]), column(vec![None, Some(-2.0)])];
        assert_eq!(shown(&floats), ["1.5 null ", "null -2.0 "]);
        let texts = [
            column(vec![Some("a"), Some(long)]),
            column(vec![Some(long), None]),
            column(vec![None, Some("c")]),
        ];
        let quoted = |text: &str| format!("{text:?} ");
        let expected = [
            [quoted("a"), quoted(long), "null ".to_owned()].concat(),
            [quoted(long), "null ".to_owned(), quoted("c")].concat(),
        ];
        assert_eq!(shown(&texts), expected);
        assert_eq!(shown(&[column(vec![Some(7i32), None])]), ["7 ", "null "]);
    }

    #[test]
    fn times_stay_times_and_no_row_is_no_list() {
        let times = |micros: Vec<i64>| {
            Int64Chunked::from_vec("a".into(), micros)
                .into_datetime(TimeUnit::Microseconds, None)
                .into_column()
        };
        let wanted = DataType::List(Box::new(DataType::Datetime(TimeUnit::Microseconds, None)));
        for micros in [vec![], vec![0, 1]] {
            let lists = side_by_side(&[times(micros.clone()), times(micros.clone())]).unwrap();
            assert_eq!((lists.dtype(), lists.len()), (&wanted, micros.len()));
        }
        let chunked = {
            let mut one = times(vec![0]);
            one.append(&times(vec![1])).unwrap();
            one
        };
        let lists = side_by_side(&[chunked.clone(), chunked]).unwrap();
        assert_eq!(lists.list().unwrap().lst_lengths().to_vec(), [Some(2), Some(2)]);
    }

    #[test]
    fn columns_of_different_lengths_and_none_are_refused() {
        let columns = [column(vec![Some(1.0)]), column(vec![Some(1.0), None])];
        assert!(side_by_side(&columns).is_err());
        assert!(side_by_side(&[]).is_err());
    }
}
