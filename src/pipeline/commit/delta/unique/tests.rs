use std::collections::{BTreeSet, HashMap};

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Int32Array, Int64Array, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;

use super::*;
use crate::delta::read::FileReader;
use crate::key::{Source as Partition, Topic};
use crate::pipeline::commit::delta::{DeltaTable, Landed};
use crate::pipeline::commit::{Counts, Draft, Mode};
use crate::pipeline::discover::Watermark;
use crate::pipeline::write::{FileWriter, table_schema};
use crate::store::Output;

/// A row: what its key is made of, its record, and a number of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    a: Option<u8>,
    b: Option<u8>,
    topic: u8,
    partition: i32,
    offset: i64,
    n: i64,
}

impl Row {
    /// The values of columns, as texts; `None` for null.
    fn value(&self, column: &str) -> Option<String> {
        match column {
            "id" | "small" | "at" => self.a.map(|a| a.to_string()),
            "text" | "day" => self.b.map(|b| b.to_string()),
            "flag" => self.b.map(|b| (b % 2).to_string()),
            other => panic!("{other}"),
        }
    }

    fn key(&self, columns: &[&str]) -> Option<Vec<String>> {
        columns.iter().map(|column| self.value(column)).collect()
    }

    fn record(&self) -> (u8, i32, i64) {
        (self.topic, self.partition, self.offset)
    }
}

/// The spec of a table with a column of every type that a key may have.
fn spec(unique_by: &[&str], partition_by: &[&str]) -> Spec {
    spec_with(unique_by, partition_by, "int32")
}

/// The same, with another type of the column `small`.
fn spec_with(unique_by: &[&str], partition_by: &[&str], small: &str) -> Spec {
    let list = |names: &[&str]| format!("{names:?}");
    let column = |(name, ty): (&str, &str)| {
        format!("[[column]]\nname='{name}'\ntype='{ty}'\nfield='{name}'\n")
    };
    let mut text = "version = 1\ntable = 't'\ntopics = ['t']\n".to_owned();
    for (key, names) in [("unique_by", unique_by), ("partition_by", partition_by)] {
        if !names.is_empty() {
            text += &format!("{key} = {}\n", list(names));
        }
    }
    let columns = [
        ("id", "int64"),
        ("small", small),
        ("text", "string"),
        ("day", "date"),
        ("at", "timestamp"),
        ("flag", "bool"),
        ("n", "int64"),
    ];
    text.extend(columns.map(column));
    crate::spec::parse("t.toml", &text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn batch(schema: &SchemaRef, rows: &[Row]) -> RecordBatch {
    let ints = |of: fn(&Row) -> i64| Int64Array::from_iter_values(rows.iter().map(of));
    let a = || rows.iter().map(|row| row.a);
    let b = || rows.iter().map(|row| row.b);
    let text = |b: u8| format!("a text of more than twelve bytes {b}");
    let column = |name: &str| -> ArrayRef {
        match name {
            "id" => Arc::new(a().map(|a| a.map(i64::from)).collect::<Int64Array>()),
            "small" => Arc::new(a().map(|a| a.map(i32::from)).collect::<Int32Array>()),
            "text" => Arc::new(b().map(|b| b.map(text)).collect::<StringViewArray>()),
            "day" => Arc::new(b().map(|b| b.map(i32::from)).collect::<Date32Array>()),
            "at" => {
                let times = a().map(|a| a.map(|a| i64::from(a) * 700 - 1_000));
                Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            "flag" => Arc::new(b().map(|b| b.map(|b| b % 2 == 1)).collect::<BooleanArray>()),
            "n" => Arc::new(ints(|row| row.n)),
            KAFKA_TOPIC => {
                let topics = rows.iter().map(|row| format!("topic.{}", row.topic));
                Arc::new(StringViewArray::from_iter_values(topics))
            }
            KAFKA_PARTITION => {
                Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.partition)))
            }
            KAFKA_OFFSET => Arc::new(ints(|row| row.offset)),
            other => panic!("{other}"),
        }
    };
    let columns = schema.fields().iter();
    let columns = columns.map(|field| cast(&column(field.name()), field.data_type()).unwrap());
    RecordBatch::try_new(Arc::clone(schema), columns.collect()).unwrap()
}

/// A table in memory.
struct World {
    table: DeltaTable,
    spec: Spec,
    output: Output,
}

impl World {
    fn new(unique_by: &[&str], partition_by: &[&str], budget: usize) -> World {
        let spec = spec(unique_by, partition_by);
        let objects = Arc::new(InMemory::new());
        let output = Output { objects, url: "out".into(), refusals: None };
        let mut table = DeltaTable::new(&output, &spec).unwrap();
        table.one_per_key.as_mut().unwrap().budget = budget;
        World { table, spec, output }
    }

    /// Publishes files of rows, as the stages do.
    async fn publish(&self, run: &str, files: &[Vec<Row>]) -> Vec<DataFile> {
        let (spec, output) = (self.spec.clone(), self.output.clone());
        let files: Vec<Vec<Row>> = files.to_vec();
        let stem = run.to_owned();
        let write = move || {
            let sink = FileSink {
                output,
                runtime: Handle::current(),
                table: spec.table.clone(),
                spec_hash: None,
                held: Arc::default(),
            };
            let mut staged = Vec::new();
            for (n, rows) in files.iter().enumerate() {
                let mut parts: BTreeMap<Vec<Option<String>>, Vec<Row>> = BTreeMap::new();
                for row in rows {
                    let of = |column: &String| {
                        let text = |b| format!("a text of more than twelve bytes {b}");
                        assert_eq!(column, "text");
                        row.value("text").map(text)
                    };
                    let part = spec.partition_by.iter().map(of).collect();
                    parts.entry(part).or_default().push(*row);
                }
                for (m, (values, rows)) in parts.into_iter().enumerate() {
                    let all = table_schema(&spec);
                    let kept =
                        all.fields().iter().filter(|f| !spec.partition_by.contains(f.name()));
                    let schema = Arc::new(Schema::new(kept.cloned().collect::<Vec<_>>()));
                    let below = match values.first() {
                        None => format!("{stem}-{n}.parquet"),
                        Some(_) => format!("text=p{m}/{stem}-{n}-{m}.parquet"),
                    };
                    let path = Path::from(format!("t/{below}"));
                    let rows = batch(&schema, &rows);
                    let mut file = FileWriter::open(&sink, path, &rows).unwrap();
                    file.write(&rows).unwrap();
                    let mut file = file.finish().unwrap();
                    file.file.path = below;
                    file.file.partition = spec.partition_by.iter().cloned().zip(values).collect();
                    staged.push(file);
                }
            }
            staged
        };
        let staged = tokio::task::spawn_blocking(write).await.unwrap();
        let files = staged.iter().map(|staged| staged.file.clone()).collect();
        publish(&self.output, staged).await.unwrap();
        files
    }

    async fn draft(&self, run: &str, files: &[Vec<Row>]) -> Draft {
        let rows = files.iter().map(|rows| rows.len() as u64).sum();
        let topic = Topic::parse("t").unwrap();
        // No two runs are of one source: the keys alone set them apart.
        let source = Partition { topic, directory: run.into(), partition: 0 };
        Draft {
            run_id: run.into(),
            committed_at: "2024-01-01T00:00:00Z".into(),
            source: "s3://b".into(),
            spec_hash: "abc".into(),
            schema: Vec::new(),
            mode: Mode::Append,
            reached: [(source, Watermark { start: 0, end: 1, last: None })].into(),
            files: self.publish(run, files).await,
            rejects: Vec::new(),
            resolved: None,
            counts: Counts { read: rows, written: rows, ..Counts::default() },
        }
    }

    async fn run(&self, run: &str, files: &[Vec<Row>]) -> Result<Landed> {
        let base = self.table.read().await.unwrap();
        let draft = self.draft(run, files).await;
        self.table.commit(base.as_ref(), draft).await
    }

    /// The numbers of the rows that are in the table, sorted.
    async fn numbers(&self) -> Vec<i64> {
        let columns = table_schema(&self.spec);
        let schema = Arc::new(Schema::new(vec![columns.field_with_name("n").unwrap().clone()]));
        let mut numbers = Vec::new();
        for file in self.live().await {
            let path = self.table.logs.rows.file_path(&file.path);
            let reader = FileReader::open(&self.output, &path).await.unwrap();
            assert_eq!(file.rows(), Some(reader.rows()));
            let batches = reader.read(&schema, &file.partition).unwrap();
            for batch in batches.try_collect::<Vec<_>>().await.unwrap() {
                numbers.extend(batch.column(0).as_primitive::<Int64Type>().values());
            }
        }
        numbers.sort_unstable();
        numbers
    }

    async fn live(&self) -> Vec<LiveFile> {
        let state = self.table.logs.rows.read().await.unwrap().unwrap();
        self.table.logs.rows.files(&state).await.unwrap()
    }

    /// The data files that are in the store.
    async fn stored(&self) -> BTreeSet<String> {
        let all = self.output.objects.list(None).try_collect::<Vec<_>>().await.unwrap();
        let names = all.into_iter().map(|object| object.location.to_string());
        names.filter(|name| name.ends_with(".parquet") && !name.contains("_delta_log")).collect()
    }
}

/// What has to be in the table, by a map.
fn model(rows: &[Row], key: &[&str]) -> Vec<i64> {
    let mut best: HashMap<Vec<String>, Row> = HashMap::new();
    let mut numbers = Vec::new();
    for row in rows {
        match row.key(key) {
            None => numbers.push(row.n),
            Some(key) => {
                let there = best.entry(key).or_insert(*row);
                if row.record() >= there.record() {
                    *there = *row;
                }
            }
        }
    }
    numbers.extend(best.values().map(|row| row.n));
    numbers.sort_unstable();
    numbers
}

const KEYS: [(&[&str], &[&str]); 9] = [
    (&["id"], &[]),
    (&["small"], &[]),
    (&["text"], &[]),
    (&["day"], &[]),
    (&["at"], &[]),
    (&["flag"], &[]),
    (&["id", "text"], &[]),
    (&["text", "at"], &["text"]),
    (&["flag", "day", "small"], &[]),
];

/// Of a row: what its key is made of, its source, and whether it is of the same
/// record as the row before of that source.
type Seed = (Option<u8>, Option<u8>, u8, i32, bool);

fn rows(seeds: &[Seed]) -> Vec<Row> {
    let mut last: HashMap<(u8, i32), i64> = HashMap::new();
    let number = |(n, &(a, b, topic, partition, same)): (usize, &Seed)| {
        let offset = last.entry((topic, partition)).or_insert(-1);
        *offset = (*offset + i64::from(!same)).max(0);
        Row { a, b, topic, partition, offset: *offset, n: n as i64 }
    };
    seeds.iter().enumerate().map(number).collect()
}

/// Cuts rows after each place, in order.
fn cut<T: Clone>(all: &[T], after: &BTreeSet<usize>) -> Vec<Vec<T>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for end in after.iter().copied().filter(|&end| end > 0 && end < all.len()) {
        parts.push(all[from..end].to_vec());
        from = end;
    }
    parts.push(all[from..].to_vec());
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_runs_and_files_the_latest_row_of_each_key_is_in_the_table(
        seeds in prop::collection::vec(
            (prop::option::weighted(0.9, 0..9_u8), prop::option::weighted(0.9, 0..4_u8), 0..2_u8, 0..2_i32, prop::bool::weighted(0.2)),
            1..60,
        ),
        files in prop::collection::btree_set(1..60_usize, 0..6),
        runs in prop::collection::btree_set(1..6_usize, 0..4),
        key in 0..KEYS.len(),
        budget in prop::sample::select(vec![300, 1_200, BUDGET]),
    ) {
        let (key, partition_by) = KEYS[key];
        let rows = rows(&seeds);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let world = World::new(key, partition_by, budget);
            let (mut done, mut left) = (Vec::new(), 0);
            for (n, files) in cut(&cut(&rows, &files), &runs).into_iter().enumerate() {
                let landed = world.run(&format!("r{n}"), &files).await.unwrap();
                done.extend(files.concat());
                left += files.concat().len() as u64 - landed.replaced;
                let numbers = world.numbers().await;
                assert_eq!(numbers, model(&done, key), "after run {n}");
                assert_eq!(numbers.len() as u64, left);
            }
        });
    }
}

fn row(a: u8, offset: i64, n: i64) -> Row {
    Row { a: Some(a), b: Some(0), topic: 0, partition: 0, offset, n }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_a_key_of_the_run_is_not_opened() {
    let world = World::new(&["id"], &[], BUDGET);
    world.run("one", &[vec![row(1, 0, 0), row(9, 1, 1)]]).await.unwrap();
    world.run("two", &[vec![row(20, 2, 2), row(29, 3, 3)]]).await.unwrap();
    world.run("three", &[vec![row(40, 4, 4), row(49, 5, 5)]]).await.unwrap();
    world.output.objects.delete(&Path::from("t/two-0.parquet")).await.unwrap();
    // Around the file that is gone, by two files of which none reaches it.
    let landed = world.run("four", &[vec![row(9, 6, 6)], vec![row(40, 7, 7)]]).await.unwrap();
    assert_eq!((landed.replaced, landed.files.len()), (2, 4));
    let before = world.stored().await;
    let error = world.run("five", &[vec![row(25, 8, 8)]]).await.unwrap_err();
    assert!(matches!(error, Error::DataFileGone { .. }), "{error}");
    assert_eq!(world.stored().await, before, "what was published is taken away");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_commit_removes_what_was_replaced_and_keeps_what_was_not() {
    let world = World::new(&["id"], &[], BUDGET);
    world.run("one", &[vec![row(1, 0, 0), row(2, 1, 1)], vec![row(3, 2, 2)]]).await.unwrap();
    // Of the first file a row, the second whole; of the run a row that came late.
    let late = Row { partition: -1, ..row(2, 99, 5) };
    let landed = world.run("two", &[vec![row(1, 3, 3), row(3, 4, 4), late]]).await.unwrap();
    assert_eq!((landed.version, landed.replaced), (1, 3));
    assert_eq!(world.numbers().await, [1, 3, 4]);
    let entry = world.table.logs.rows.entry(1).await.unwrap().unwrap();
    let mut removed: Vec<_> = entry
        .iter()
        .filter_map(|action| match action {
            crate::delta::Action::Remove(remove) => {
                Some((remove.path.as_str(), remove.data_change))
            }
            _ => None,
        })
        .collect();
    removed.sort_unstable();
    assert_eq!(removed, [("one-0.parquet", true), ("one-1.parquet", true)]);
    let note = crate::delta::note_of(entry).unwrap();
    assert_eq!(note["counts"]["replaced"], 3);
    // Old versions stay readable; what nobody ever saw is gone.
    let stored = world.stored().await;
    assert!(stored.contains("t/one-0.parquet") && !stored.contains("t/two-0.parquet"));
    assert_eq!(stored.len(), 4, "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_widen_and_rows_that_give_way_are_one_commit() {
    let mut world = World::new(&["small"], &[], BUDGET);
    world.run("one", &[vec![row(1, 0, 0), row(2, 1, 1)], vec![row(3, 2, 2)]]).await.unwrap();
    world.spec = spec_with(&["small"], &[], "int64");
    world.table = DeltaTable::new(&world.output, &world.spec).unwrap();
    let landed = world.run("two", &[vec![row(2, 3, 3)]]).await.unwrap();
    assert_eq!((landed.version, landed.replaced), (1, 1));
    assert_eq!(world.numbers().await, [0, 2, 3]);
    let (live, stored) = (world.live().await.len(), world.stored().await);
    assert_eq!((live, stored.len()), (3, 5), "nothing is left that no version lists: {stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_table_is_unique_in_itself_whatever_was_there() {
    let world = World::new(&["id"], &[], BUDGET);
    world.run("one", &[vec![row(1, 50, 0)]]).await.unwrap();
    let base = world.table.read().await.unwrap();
    let draft = world.draft("two", &[vec![row(1, 0, 1), row(1, 1, 2)], vec![row(2, 2, 3)]]).await;
    let full = Draft { mode: Mode::Full, ..draft };
    let landed = world.table.commit(base.as_ref(), full).await.unwrap();
    assert_eq!(landed.replaced, 1);
    assert_eq!(world.numbers().await, [2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_overtaken_leaves_nothing_whatever_its_source() {
    let world = World::new(&["id"], &[], BUDGET);
    world.run("one", &[vec![row(1, 0, 0), row(2, 1, 1)]]).await.unwrap();
    let base = world.table.read().await.unwrap();
    let late = world.draft("late", &[vec![row(1, 2, 2), row(7, 3, 3), row(7, 4, 4)]]).await;
    world.run("fast", &[vec![row(1, 5, 5)]]).await.unwrap();
    let error = world.table.commit(base.as_ref(), late).await.unwrap_err();
    assert!(matches!(error, Error::Ahead { .. }), "{error}");
    assert_eq!(world.numbers().await, [1, 5]);
    assert!(!world.stored().await.iter().any(|name| name.contains("late")));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_than_the_tables_is_refused() {
    let keyed: [&[&str]; 4] = [&[], &["id"], &["text"], &["id", "text"]];
    for there in keyed {
        let world = World::new(&["id"], &[], BUDGET);
        let table = |key| DeltaTable::new(&world.output, &spec(key, &[])).unwrap();
        let made = table(there);
        made.commit(None, Draft { files: Vec::new(), ..world.draft("one", &[]).await })
            .await
            .unwrap();
        let state = made.read().await.unwrap().unwrap();
        for wanted in keyed {
            let checked = table(wanted).check(&state);
            assert_eq!(checked.is_ok(), there == wanted, "{there:?} {wanted:?} {checked:?}");
        }
    }
    let world = World::new(&["id"], &[], BUDGET);
    world.run("one", &[vec![row(1, 0, 0)]]).await.unwrap();
    let state = world.table.read().await.unwrap().unwrap();
    let plain = DeltaTable::new(&world.output, &spec(&[], &[])).unwrap();
    let error = plain.check(&state).unwrap_err().to_string();
    assert!(error.contains("one row for each id, the transform every row"), "{error}");
}
