use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringViewArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::*;
use crate::pipeline::write::{DataFile, FileWriter, publish};
use crate::store::Output;

/// The table `pin` below an output, in memory or on a disk.
struct World {
    runtime: Runtime,
    log: Log,
    sink: FileSink,
    _folder: Option<tempfile::TempDir>,
}

fn world(objects: Arc<dyn ObjectStore>, folder: Option<tempfile::TempDir>) -> World {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let output = Output { objects, url: "out".into(), refusals: None };
    let sink = FileSink {
        output: output.clone(),
        runtime: runtime.handle().clone(),
        table: "pin".into(),
        spec_hash: None,
        held: Arc::default(),
    };
    World { runtime, log: Log::new(&output, Path::from("pin")), sink, _folder: folder }
}

fn worlds() -> [World; 2] {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    [world(Arc::new(InMemory::new()), None), world(Arc::new(local), Some(folder))]
}

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let fields = columns.iter().map(|(name, ty)| Field::new(*name, ty.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns of most tests.
fn table() -> SchemaRef {
    schema(&[("n", DataType::Int64), ("c", DataType::Utf8View), ("text", DataType::Utf8View)])
}

fn batch(numbers: &[Option<i64>]) -> RecordBatch {
    let text = |n: &Option<i64>| n.map(|n| format!("a text of more than a few bytes: {n}"));
    let columns: [(&str, ArrayRef); 2] = [
        ("n", Arc::new(Int64Array::from(numbers.to_vec()))),
        ("text", Arc::new(numbers.iter().map(text).collect::<StringViewArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn numbers(n: impl IntoIterator<Item = i64>) -> RecordBatch {
    batch(&n.into_iter().map(Some).collect::<Vec<_>>())
}

fn live(file: DataFile) -> LiveFile {
    LiveFile {
        path: file.path,
        size: file.bytes,
        modified: 0,
        partition: file.partition.into_iter().collect(),
        stats: serde_json::from_str(&file.stats).unwrap(),
        has_deletion_vector: false,
    }
}

impl World {
    /// A file of the table, published; its folder is `c=<value>`, escaped.
    fn put(&self, path: &str, value: Option<&str>, batch: &RecordBatch) -> Source {
        let at = self.log.file_path(path);
        let mut file = FileWriter::open(&self.sink, at, batch).unwrap();
        file.write(batch).unwrap();
        let mut staged = file.finish().unwrap();
        staged.file.path = path.to_owned();
        staged.file.partition = vec![("c".to_owned(), value.map(str::to_owned))];
        let file = live(staged.file.clone());
        self.runtime.block_on(publish(&self.sink.output, vec![staged])).unwrap();
        Source { file, keep: None }
    }

    fn rewrite<'a>(&'a self, schema: &'a SchemaRef) -> Rewrite<'a> {
        Rewrite { log: &self.log, sink: &self.sink, schema, target_size: 1 << 20, sort: None }
    }

    fn publish(&self, staged: Vec<Staged>) -> Vec<LiveFile> {
        let files = staged.iter().map(|staged| live(staged.file.clone())).collect();
        self.runtime.block_on(publish(&self.sink.output, staged)).unwrap();
        files
    }

    fn read(&self, file: &LiveFile, schema: &SchemaRef) -> RecordBatch {
        let read = async {
            let path = self.log.file_path(&file.path);
            let reader = FileReader::open(&self.sink.output, &path).await.unwrap();
            assert_eq!(file.rows(), Some(reader.rows()));
            let batches: Vec<_> =
                reader.read(schema, &file.partition).unwrap().try_collect().await.unwrap();
            concat_batches(schema, &batches).unwrap()
        };
        self.runtime.block_on(read)
    }

    fn numbers(&self, file: &LiveFile) -> Vec<Option<i64>> {
        let batch = self.read(file, &schema(&[("n", DataType::Int64)]));
        batch.column(0).as_primitive::<Int64Type>().iter().collect()
    }

    fn paths(&self) -> Vec<String> {
        let listed = self.sink.output.objects.list(None).try_collect::<Vec<_>>();
        let listed = self.runtime.block_on(listed).unwrap();
        let mut paths: Vec<_> = listed.into_iter().map(|object| object.location.into()).collect();
        paths.sort();
        paths
    }
}

#[test]
fn rows_stay_in_order_in_one_file_beside_the_old_ones() {
    for world in worlds() {
        let value = Some("a/b~");
        let sources: Vec<Source> = (0..20)
            .map(|n| {
                let path = format!("c=a%2Fb~/old-{n:02}.parquet");
                world.put(&path, value, &numbers(n * 10..(n + 1) * 10))
            })
            .collect();
        let table = table();
        let files = world.publish(world.rewrite(&table).run(&sources, "new").unwrap());
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].path, "c=a%2Fb~/new-0.parquet");
        assert!(world.paths().contains(&"pin/c=a%2Fb~/new-0.parquet".to_owned()));
        assert_eq!(files[0].partition, BTreeMap::from([("c".into(), value.map(str::to_owned))]));
        assert_eq!(files[0].stats["minValues"]["n"], 0);
        assert_eq!(files[0].stats["maxValues"]["n"], 199);
        assert_eq!(world.numbers(&files[0]), (0..200).map(Some).collect::<Vec<_>>());
        let all = world.read(&files[0], &table);
        assert_eq!(all.column(1).as_string_view().value(199), "a/b~");
    }
}

#[test]
fn only_rows_whose_bit_is_set_stay() {
    let [world, _] = worlds();
    let mut sources = vec![
        world.put("a.parquet", None, &numbers(0..20_000)),
        world.put("b.parquet", None, &numbers(20_000..20_003)),
        world.put("c.parquet", None, &numbers(30_000..30_002)),
    ];
    sources[0].keep = Some(BooleanBuffer::collect_bool(20_000, |n| n % 1_000 == 7));
    sources[1].keep = Some(BooleanBuffer::new_unset(3));
    let table = table();
    let files = world.publish(world.rewrite(&table).run(&sources, "new").unwrap());
    let kept: Vec<_> = (0..20).map(|n| n * 1_000 + 7).chain([30_000, 30_001]).map(Some).collect();
    assert_eq!(files.iter().flat_map(|file| world.numbers(file)).collect::<Vec<_>>(), kept);

    assert!(world.rewrite(&table).run(&sources[1..2], "none").unwrap().is_empty());
    sources[1].keep = Some(BooleanBuffer::new_unset(2));
    let error = world.rewrite(&table).run(&sources, "bad").unwrap_err();
    assert!(matches!(error, Error::Internal { .. }), "{error}");
}

#[test]
fn a_file_ends_at_the_target_size() {
    let [world, _] = worlds();
    let sources = [world.put("a.parquet", None, &numbers(0..50_000))];
    let table = table();
    let rewrite = Rewrite { target_size: 100_000, ..world.rewrite(&table) };
    let files = world.publish(rewrite.run(&sources, "new").unwrap());
    assert!(files.len() > 2, "{}", files.len());
    let names: Vec<_> = (0..files.len()).map(|n| format!("new-{n}.parquet")).collect();
    assert_eq!(files.iter().map(|file| &file.path).collect::<Vec<_>>(), Vec::from_iter(&names));
    let all: Vec<_> = files.iter().flat_map(|file| world.numbers(file)).collect();
    assert_eq!(all, (0..50_000).map(Some).collect::<Vec<_>>());
}

#[test]
fn sorted_rows_are_in_order_within_each_file_and_nulls_come_last() {
    let [world, _] = worlds();
    let shuffled = |seed: i64| {
        let value = move |n: i64| (n % 100 != 0).then_some(n * 7_919 % 5_003 + seed);
        batch(&(0..5_000).map(value).collect::<Vec<_>>())
    };
    let sources: Vec<Source> =
        (0..4).map(|n| world.put(&format!("{n}.parquet"), None, &shuffled(n))).collect();
    let mut before: Vec<_> = sources.iter().flat_map(|s| world.numbers(&s.file)).collect();
    before.sort_unstable();
    let table = table();
    let stored: u64 = sources.iter().map(|source| source.file.size).sum();
    for (memory, target_size, expected) in
        [(u64::MAX, u64::MAX, 1), (1 << 20, u64::MAX, 2), (u64::MAX, stored / 2, 2)]
    {
        let sort = Some(Sort { column: "n", memory });
        let rewrite = Rewrite { sort, target_size, ..world.rewrite(&table) };
        let name = format!("{memory}-{target_size}");
        let files = world.publish(rewrite.run(&sources, &name).unwrap());
        assert_eq!(files.len(), expected, "{memory} {target_size}");
        let mut after = Vec::new();
        for file in &files {
            let rows = world.numbers(file);
            let key = |n: &Option<i64>| (n.is_none(), *n);
            assert!(rows.is_sorted_by_key(key), "{}", file.path);
            after.extend(rows);
        }
        after.sort_unstable();
        assert_eq!(after, before);
    }
}

#[test]
fn rows_of_one_value_stay_in_their_order_when_sorted() {
    let [world, _] = worlds();
    let columns = |rows: std::ops::Range<i64>| -> RecordBatch {
        let day: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.clone().map(|_| 1)));
        let n: ArrayRef = Arc::new(Int64Array::from_iter_values(rows));
        RecordBatch::try_from_iter_with_nullable([("day", day, true), ("n", n, true)]).unwrap()
    };
    let sources = [0, 1_000].map(|n| world.put(&format!("{n}"), None, &columns(n..n + 1_000)));
    let table = schema(&[("day", DataType::Int32), ("n", DataType::Int64)]);
    let sort = Some(Sort { column: "day", memory: 1 << 30 });
    let staged = Rewrite { sort, ..world.rewrite(&table) }.run(&sources, "new").unwrap();
    let files = world.publish(staged);
    assert_eq!(world.numbers(&files[0]), (0..2_000).map(Some).collect::<Vec<_>>());
}

#[test]
fn narrow_columns_are_widened_and_those_that_lack_are_null() {
    let [world, _] = worlds();
    let n: ArrayRef = Arc::new(Int32Array::from(vec![Some(i32::MIN), None]));
    let old = RecordBatch::try_from_iter_with_nullable([("n", n, true)]).unwrap();
    let sources = [world.put("old.parquet", Some("x"), &old)];
    let table = table();
    let files = world.publish(world.rewrite(&table).run(&sources, "new").unwrap());
    let read = world.read(&files[0], &table);
    assert_eq!(read.column(0).as_primitive::<Int64Type>().value(0), i64::from(i32::MIN));
    assert_eq!((read.column(1).null_count(), read.column(2).null_count()), (0, 2));
    assert_eq!(files[0].stats["minValues"]["n"], i32::MIN);
}

#[test]
fn what_cannot_be_read_leaves_no_file() {
    for world in worlds() {
        let good = world.put("good.parquet", None, &numbers(0..9));
        let mut gone = good.clone();
        gone.file.path = "c=x/gone.parquet".to_owned();
        let mut deleted = good.clone();
        deleted.file.has_deletion_vector = true;
        deleted.file.stats = Value::Null;
        let before = world.paths();
        for (bad, text) in [(gone, "out/pin/c=x/gone.parquet is gone"), (deleted, "REORG TABLE")] {
            let sources = [good.clone(), bad, good.clone()];
            let error = world.rewrite(&table()).run(&sources, "new").unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
            assert_eq!(world.paths(), before);
        }
    }
}
