//! Rows divided by the values of columns.

use std::collections::BTreeMap;

use polars::prelude::{ChunkCast, ListChunked};
use proptest::prelude::*;

use super::*;
use crate::spec::parse;

const TRANSFORMS: &str = "version = 1\ntable = \"pin\"\ntopics = [\"t\"]\n\
    partition_by = [\"country\", \"day\"]\n\
    [[column]]\nname = \"country\"\ntype = \"string\"\nfield = \"c\"\n\
    [[column]]\nname = \"n\"\ntype = \"int64\"\nfield = \"n\"\n\
    [[column]]\nname = \"tags\"\ntype = \"list<string>\"\nfield = \"t\"\n\
    [[column]]\nname = \"day\"\ntype = \"date\"\nfield = \"d\"\n";

type Row = (Option<&'static str>, Option<i32>);
/// The rows' numbers by partition values, in the order of the files.
type Parts = BTreeMap<(Option<String>, Option<String>), Vec<i64>>;

fn divided(objects: Arc<dyn ObjectStore>) -> Bench {
    let mut bench = bench(objects);
    let spec = parse("pin.toml", TRANSFORMS).unwrap();
    let target = Arc::make_mut(&mut bench.target);
    target.schema = table_schema(&spec);
    target.partition_by = spec.partition_by;
    bench
}

/// A text that does not fit into a view, and is the row's own.
fn tag(n: i64) -> String {
    format!("the tag of record number {n}")
}

/// Rows that are numbered from `first`; every fifth has no tags.
fn batch(first: i64, rows: &[Row]) -> DataFrame {
    let numbers = || (first..).take(rows.len());
    let tags = |n: i64| (n % 5 != 0).then(|| Series::new("".into(), [Some(tag(n)), None]));
    let tags: ListChunked = numbers().map(tags).collect();
    let days = Series::new("day".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>());
    let columns = vec![
        Series::new("country".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()).into(),
        Series::new("n".into(), numbers().collect::<Vec<_>>()).into(),
        tags.cast(&DataType::List(Box::new(DataType::String)))
            .unwrap()
            .with_name("tags".into())
            .into(),
        days.cast(&DataType::Date).unwrap().into(),
    ];
    DataFrame::new(rows.len(), columns).unwrap()
}

/// Writes batches with so many bytes that may wait.
fn write(bench: &Bench, batches: &[Vec<Row>], limit: usize) -> Vec<DataFile> {
    let mut writer = bench.writer();
    let Rows::Divided(partitions) = &mut writer.rows else { panic!("not divided") };
    partitions.limit = limit;
    let mut first = 0;
    for rows in batches {
        writer.append(&batch(first, rows), &[]).unwrap();
        first += rows.len() as i64;
        let Rows::Divided(partitions) = &writer.rows else { panic!("not divided") };
        assert!(partitions.waiting() <= limit);
    }
    bench.publish(writer.finish().unwrap()).0
}

/// What is in a file, which must be where and what it is said to be.
fn numbers(bench: &Bench, file: &DataFile) -> Vec<i64> {
    let path = Path::parse(format!("pin/{}", file.path)).unwrap();
    let objects = &bench.target.output.objects;
    let bytes =
        bench.runtime.block_on(async { objects.get(&path).await.unwrap().bytes().await }).unwrap();
    assert_eq!(bytes.len() as u64, file.bytes);
    let [batch] = &read(&bytes)[..] else { panic!("one batch") };
    let names: Vec<_> = batch.schema_ref().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!((names, batch.num_rows() as u64), (vec!["n".into(), "tags".into()], file.rows));
    let numbers = batch.column(0).as_primitive::<Int64Type>().values().to_vec();
    let tags = batch.column(1).as_list::<i32>();
    for (row, n) in numbers.iter().enumerate() {
        assert_eq!(tags.is_null(row), n % 5 == 0);
        if !tags.is_null(row) {
            let text = tags.value(row);
            let text = text.as_string::<i32>();
            assert!(text.value(0) == tag(*n) && text.is_null(1), "{text:?}");
        }
    }
    numbers
}

fn parts(bench: &Bench, files: &[DataFile]) -> Parts {
    let number = |file: &DataFile| -> usize {
        let stem = file.path.strip_suffix(".parquet").unwrap();
        stem.rsplit('-').next().unwrap().parse().unwrap()
    };
    let mut files: Vec<&DataFile> = files.iter().collect();
    files.sort_by_key(|file| number(file));
    let mut parts = Parts::new();
    for file in files {
        let [(country, a), (day, b)] = &file.partition[..] else { panic!("{file:?}") };
        assert_eq!((country.as_str(), day.as_str()), ("country", "day"));
        parts.entry((a.clone(), b.clone())).or_default().extend(numbers(bench, file));
    }
    parts
}

fn expected(batches: &[Vec<Row>]) -> Parts {
    let mut parts = Parts::new();
    for (n, (country, day)) in batches.iter().flatten().enumerate() {
        let country = country.filter(|text| !text.is_empty()).map(str::to_owned);
        let day = day.map(|day| format!("1970-01-{:02}", day + 1));
        parts.entry((country, day)).or_default().push(n as i64);
    }
    parts
}

fn rows() -> impl Strategy<Value = Vec<Vec<Row>>> {
    let country = prop::sample::select(vec![
        None,
        Some(""),
        Some("DE"),
        Some("de"),
        Some("a/b=%2F"),
        Some("United Kingdom"),
    ]);
    let day = prop::option::of(0..2i32);
    prop::collection::vec(prop::collection::vec((country, day), 0..30), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_in_one_file_of_its_values_in_order(
        batches in rows(),
        limit in prop::sample::select(vec![0, 3_000, 1 << 20]),
    ) {
        let bench = divided(Arc::new(InMemory::new()));
        let files = write(&bench, &batches, limit);
        let expected = expected(&batches);
        prop_assert_eq!(bench.stored().len(), files.len());
        prop_assert_eq!(&parts(&bench, &files), &expected);
        if limit == 1 << 20 {
            prop_assert_eq!(files.len(), expected.len(), "a file for each partition");
        }
    }
}

#[test]
fn files_lie_in_the_folders_of_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = divided(Arc::new(store));
    let long: &'static str = "/".repeat(5_000).leak();
    let files =
        write(&bench, &[vec![(Some("a/b c"), Some(0)), (None, None), (Some(long), None)]], 0);
    assert_eq!(files.len(), 3);
    let below = |path: &str| folder.path().join("pin").join(path);
    for (file, start) in files.iter().zip([
        "country=a%2Fb c/day=1970-01-01/a.pin+0+",
        "country=__HIVE_DEFAULT_PARTITION__/day=__HIVE_DEFAULT_PARTITION__/a.pin+0+",
        "country=%2F%2F",
    ]) {
        assert!(file.path.starts_with(start), "{}", file.path);
        assert_eq!(below(&file.path).metadata().unwrap().len(), file.bytes);
    }
    assert_eq!(files[2].partition[0], ("country".into(), Some(long.into())));
}

#[test]
fn an_abandoned_shard_takes_its_finished_files_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = divided(Arc::new(store));
    // All that may wait in memory is taken: finished files lie on the disk.
    bench.target.held.store(usize::MAX / 2, std::sync::atomic::Ordering::Relaxed);
    let mut writer = bench.writer();
    let Rows::Divided(partitions) = &mut writer.rows else { panic!("not divided") };
    partitions.limit = 0;
    writer.append(&batch(0, &[(Some("DE"), None), (Some("FR"), None)]), &[]).unwrap();
    let left = || {
        let folders = std::fs::read_dir(folder.path().join("pin")).unwrap();
        let days = folders.flat_map(|f| std::fs::read_dir(f.unwrap().path()).unwrap());
        days.flat_map(|f| std::fs::read_dir(f.unwrap().path()).unwrap()).count()
    };
    assert_eq!(left(), 2);
    writer.abort();
    assert_eq!(left(), 0);
}
