use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use polars::prelude::{DataFrame, DataType, NamedFrom, Series, TimeUnit, df};
use tokio::runtime::Runtime;

use super::*;
use crate::code::Code;
use crate::key::{Extension, Layout, Source, Topic};
use crate::pipeline::discover::Object;
use crate::pipeline::plan::Following;

mod partition;

struct Bench {
    runtime: Runtime,
    target: Arc<Target>,
    shard: Arc<Shard>,
}

fn bench(objects: Arc<dyn ObjectStore>) -> Bench {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let schema = record_schema(&[("n", "int64"), ("text", "string"), ("at", "timestamp")]);
    let target = Target {
        output: Output { objects, url: "out".into(), refusals: None },
        runtime: runtime.handle().clone(),
        layout: Layout { topics_dir: "topics".into(), file_delim: "+".into() },
        table: "pin".into(),
        schema,
        spec_hash: "hash".into(),
        partition_by: Vec::new(),
        generation: 0,
        unique_names: false,
        run_id: "run".into(),
        started: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        held: Arc::default(),
    };
    let object = Object { start: 0, size: 1, width: 10, extension: Extension::Json, etag: None };
    let topic = Topic::parse("a.pin").unwrap();
    let source = Source { topic, directory: "partition=0".into(), partition: 0 };
    let shard = Shard {
        source: Arc::new(source),
        table: 0,
        objects: vec![object],
        following: Following::default(),
        floor: 0,
    };
    Bench { runtime, target: Arc::new(target), shard: Arc::new(shard) }
}

impl Bench {
    /// Publishes all, and says what was published: rows, then rejects.
    fn publish(&self, written: Written) -> (Vec<DataFile>, Vec<DataFile>) {
        let publish = |staged: Vec<Staged>| -> Vec<DataFile> {
            let files = staged.iter().map(|staged| staged.file.clone()).collect();
            self.runtime.block_on(super::publish(&self.target.output, staged)).unwrap();
            files
        };
        (publish(written.files), publish(written.rejects))
    }
}

fn record_schema(columns: &[(&str, &str)]) -> SchemaRef {
    use crate::spec::{OnError, Scalar, Source, Spec, Type, Unknown};
    let column = |(name, ty): &(&str, &str)| crate::spec::Column {
        name: (*name).into(),
        ty: Type::Scalar(match *ty {
            "int64" => Scalar::Int64,
            "timestamp" => Scalar::Timestamp,
            _ => Scalar::String,
        }),
        comment: String::new(),
        source: Source::Constant(String::new()),
        required: false,
        range: None,
        allowed: vec![],
        on_error: OnError::Null,
        hidden: false,
    };
    table_schema(&Spec {
        table: "pin".into(),
        description: String::new(),
        topics: vec![],
        columns: columns.iter().map(column).collect(),
        unknown: Unknown::Count,
        ignore: vec![],
        partition_by: vec![],
        unique_by: vec![],
        slots: vec![],
        examples: vec![],
        hash: "hash".into(),
        file: "pin.toml".into(),
    })
}

impl Bench {
    fn writer(&self) -> ShardWriter {
        ShardWriter::new(Arc::clone(&self.target), Arc::clone(&self.shard))
    }

    /// Every object of the output: path and bytes, by path.
    fn stored(&self) -> Vec<(String, Bytes)> {
        let objects = &self.target.output.objects;
        self.runtime.block_on(async {
            let mut listed: Vec<_> = objects.list(None).try_collect().await.unwrap();
            listed.sort_by(|a, b| a.location.cmp(&b.location));
            let mut stored = vec![];
            for meta in listed {
                let bytes = objects.get(&meta.location).await.unwrap().bytes().await.unwrap();
                stored.push((meta.location.to_string(), bytes));
            }
            stored
        })
    }
}

/// The file of rows under way.
fn file(writer: &ShardWriter) -> &FileWriter {
    match &writer.rows {
        Rows::Together(file) => file.as_ref().as_ref().expect("there is no file of all rows"),
        Rows::Divided(_) => panic!("the files are of partitions"),
    }
}

fn frame(n: std::ops::Range<i64>) -> DataFrame {
    let times: Vec<i64> = n.clone().map(|n| n * 1_000_001).collect();
    let texts: Vec<Option<String>> =
        n.clone().map(|n| (n % 3 != 0).then(|| format!("the text of record number {n}"))).collect();
    let at = Series::new("at".into(), times)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap();
    df!("n" => n.collect::<Vec<_>>(), "text" => texts, "at" => at).unwrap()
}

fn reject(line: u64) -> Reject {
    Reject {
        object: 0,
        line,
        offset: line - 1,
        column: (line == 1).then(|| "n".into()),
        code: Code::Overflow,
        message: "too large".into(),
        raw: vec![0xff, b'{'],
    }
}

fn read(bytes: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    reader.with_batch_size(1 << 20).build().unwrap().map(|b| b.unwrap()).collect()
}

#[test]
fn what_is_written_reads_back() {
    let bench = bench(Arc::new(InMemory::new()));
    let mut writer = bench.writer();
    writer.append(&frame(0..700), &[reject(1)]).unwrap();
    writer.append(&frame(700..1000), &[reject(2)]).unwrap();
    let written = writer.finish().unwrap();
    assert_eq!(bench.stored(), [], "nobody sees a file before the commit");
    let (files, rejects) = bench.publish(written);

    let stored = bench.stored();
    assert_eq!(stored.len(), 2);
    let (quarantine, rows) = (&stored[0], &stored[1]);
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(rows.0, format!("pin/{}", file.path));
    assert_eq!((file.rows, file.bytes), (1000, rows.1.len() as u64));
    let stats: serde_json::Value = serde_json::from_str(&file.stats).unwrap();
    let wanted = serde_json::json!({
        "numRecords": 1000,
        "minValues": { "n": 0, "text": "the text of record number 1", "at": "1970-01-01T00:00:00.000Z" },
        "maxValues": { "n": 999, "text": "the text of record number 998", "at": "1970-01-01T00:16:39.001Z" },
        "nullCount": { "n": 0, "text": 334, "at": 0 },
    });
    assert_eq!(stats, wanted);
    assert_eq!(quarantine.0, format!("_quarantine/pin/{}", rejects[0].path));
    assert_eq!(rejects[0].rows, 2);

    let [batch] = &read(&rows.1)[..] else { panic!("one batch") };
    assert_eq!(batch.num_rows(), 1000);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values()[999], 999);
    let texts = batch.column(1).as_string::<i32>();
    assert!(texts.is_null(999));
    assert_eq!(texts.value(998), "the text of record number 998");
    let zone = arrow::datatypes::DataType::Timestamp(
        arrow::datatypes::TimeUnit::Microsecond,
        Some("UTC".into()),
    );
    assert_eq!(batch.column(2).data_type(), &zone);
    assert_eq!(batch.column(2).as_primitive::<TimestampMicrosecondType>().value(2), 2_000_002);

    let [batch] = &read(&quarantine.1)[..] else { panic!("one batch") };
    let column = |name| batch.column_by_name(name).unwrap();
    assert_eq!(
        column("object").as_string::<i32>().value(0),
        "topics/a.pin/partition=0/a.pin+0+0000000000.json"
    );
    assert_eq!(column("partition").as_primitive::<Int32Type>().values(), &[0, 0]);
    assert_eq!(column("line").as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(column("column").as_string::<i32>().iter().collect::<Vec<_>>(), [Some("n"), None]);
    assert_eq!(column("code").as_string::<i32>().value(1), "overflow");
    assert_eq!(column("raw").as_binary::<i32>().value(0), &[0xff, b'{']);
    assert_eq!(column("run_id").as_string::<i32>().value(0), "run");
    let stem = rejects[0].path.strip_suffix(".parquet").unwrap();
    let ids = [0, 1].map(|row| Some(format!("{stem}-{row}")));
    assert!(column("id").as_string::<i32>().iter().eq(ids.iter().map(|id| id.as_deref())));
    assert_eq!(super::id_parts(ids[1].as_deref().unwrap()), Some((stem, 1)));
    assert_eq!((column("resolved_at").null_count(), column("resolved_by").null_count()), (2, 2));
}

#[test]
fn a_repeated_attempt_gives_the_same_file() {
    let bench = bench(Arc::new(InMemory::new()));
    let attempt = || {
        let mut writer = bench.writer();
        writer.append(&frame(0..500), &[reject(1)]).unwrap();
        bench.publish(writer.finish().unwrap());
        bench.stored()
    };
    let first = attempt();
    assert_eq!(first.len(), 2);
    assert_eq!(attempt(), first);
}

#[test]
fn an_attempt_with_names_of_its_own_overwrites_no_other() {
    let mut bench = bench(Arc::new(InMemory::new()));
    for run in ["20240131T235959Z-0a1b2c3d", "20240131T235959Z-0a1b2c3e"] {
        let target = Arc::make_mut(&mut bench.target);
        (target.unique_names, target.run_id) = (true, run.into());
        let mut writer = bench.writer();
        writer.append(&frame(0..5), &[reject(1)]).unwrap();
        let (files, rejects) = bench.publish(writer.finish().unwrap());
        let ending = format!("-{}.parquet", &run[17..]);
        assert!(files[0].path.ends_with(&ending) && rejects[0].path.ends_with(&ending));
    }
    assert_eq!(bench.stored().len(), 4);
}

#[test]
fn no_rows_make_no_file() {
    let bench = bench(Arc::new(InMemory::new()));
    let mut writer = bench.writer();
    writer.append(&frame(0..0), &[]).unwrap();
    let written = writer.finish().unwrap();
    assert!(written.files.is_empty() && written.rejects.is_empty());
    assert_eq!(bench.stored(), []);
}

/// Texts that do not compress, so that a few rows make several parts.
fn noise(rows: usize, bytes: usize) -> DataFrame {
    let mut state = 7u64;
    let text: Vec<String> = (0..rows)
        .map(|_| {
            (0..bytes)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'0' + ((state >> 33) % 64) as u8)
                })
                .collect()
        })
        .collect();
    let n: Vec<i64> = (0..rows as i64).collect();
    let at = Series::new("at".into(), n.clone())
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap();
    df!("n" => n, "text" => text, "at" => at).unwrap()
}

#[test]
fn a_large_file_goes_in_parts_and_memory_stays_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = bench(Arc::new(store));
    let batch = noise(60, 100_000);
    let mut writer = bench.writer();
    for _ in 0..15 {
        writer.append(&batch, &[]).unwrap();
        assert!(file(&writer).parquet.inner().len() < 48 << 20);
    }
    assert!(file(&writer).upload.is_some());
    assert_eq!(bench.stored(), [], "nothing is to be seen before the end");
    let written = writer.finish().unwrap();
    assert_eq!(bench.stored(), [], "nobody sees a file before the commit");
    let (files, _) = bench.publish(written);
    let stored = bench.stored();
    assert_eq!(stored[0].1.len() as u64, files[0].bytes);
    assert_eq!(read(&stored[0].1).iter().map(|b| b.num_rows()).sum::<usize>(), 900);
}

#[test]
fn only_columns_whose_values_repeat_have_a_dictionary() {
    let bench = bench(Arc::new(InMemory::new()));
    let mut writer = bench.writer();
    let mut repeating = frame(0..3000);
    let words: Vec<String> = (0..3000).map(|n| format!("category number {}", n % 20)).collect();
    repeating.with_column(Series::new("text".into(), words).into()).unwrap();
    for batch in [repeating, frame(3000..6000)] {
        writer.append(&batch, &[]).unwrap();
    }
    bench.publish(writer.finish().unwrap());
    let bytes = bench.stored().remove(0).1;
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    let columns = reader.metadata().row_group(0).columns().iter();
    let dictionaries = columns.map(|c| (c.column_path().string(), c.dictionary_page_offset()));
    let with: Vec<_> = dictionaries.filter(|(_, at)| at.is_some()).map(|(name, _)| name).collect();
    assert_eq!(with, ["text"], "as the first batch says");
    let rows = read(&bytes);
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 6000);
}

#[test]
fn a_file_that_is_rewritten_can_be_cut_at_a_size() {
    let bench = bench(Arc::new(InMemory::new()));
    let sink = FileSink { spec_hash: None, ..bench.target.sink() };
    let batch = arrow_bridge::record_batch(&noise(60, 100_000), &bench.target.schema).unwrap();
    let path = Path::from("pin/part-0.parquet");
    let mut file = FileWriter::open(&sink, path.clone(), &batch).unwrap();
    let mut sizes = vec![file.bytes_so_far()];
    for _ in 0..15 {
        file.write(&batch).unwrap();
        sizes.push(file.bytes_so_far());
    }
    assert!(sizes.is_sorted_by(|a, b| a <= b), "{sizes:?}");
    let staged = file.finish().unwrap();
    let (told, bytes) = (sizes[15], staged.file.bytes);
    assert!(told.abs_diff(bytes) < bytes / 4, "{told} was told of {bytes}");
    bench.runtime.block_on(super::publish(&sink.output, vec![staged])).unwrap();
    let stored = bench.stored();
    assert_eq!((stored[0].0.as_str(), stored[0].1.len() as u64), ("pin/part-0.parquet", bytes));
    let reader = ParquetRecordBatchReaderBuilder::try_new(stored[0].1.clone()).unwrap();
    let about = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert!(about.iter().all(|pair| pair.key != "pinclean.spec_hash"), "{about:?}");
}

#[test]
fn a_discarded_file_leaves_nothing_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = bench(Arc::new(store));
    let mut writer = bench.writer();
    writer.append(&noise(60, 100_000), &[reject(1)]).unwrap();
    let written = writer.finish().unwrap();
    let waiting = std::fs::read_dir(folder.path().join("pin")).unwrap().count();
    assert_eq!(waiting, 1, "the upload lies under its temporary name");
    written.discard(&bench.target);
    assert_eq!(std::fs::read_dir(folder.path().join("pin")).unwrap().count(), 0);
}

#[test]
fn small_files_wait_in_memory_until_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = bench(Arc::new(store));
    let small = noise(2, 100_000);
    let waiting: Vec<Written> = (0..100)
        .map(|_| {
            let mut writer = bench.writer();
            writer.append(&small, &[]).unwrap();
            writer.finish().unwrap()
        })
        .collect();
    let on_disk = std::fs::read_dir(folder.path().join("pin")).unwrap().count();
    assert!((20..80).contains(&on_disk), "{on_disk} of 100 files of 150 kB wait on the disk");
    waiting.into_iter().for_each(|written| written.discard(&bench.target));
}

#[test]
fn an_abandoned_shard_leaves_nothing_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = bench(Arc::new(store));
    let mut writer = bench.writer();
    let batch = noise(60, 100_000);
    for _ in 0..8 {
        writer.append(&batch, &[reject(1)]).unwrap();
    }
    assert!(file(&writer).upload.is_some());
    writer.abort();
    let left: Vec<_> = std::fs::read_dir(folder.path().join("pin")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pin"), "a file where the table's folder goes").unwrap();
    let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let bench = bench(Arc::new(store));
    let mut writer = bench.writer();
    writer.append(&frame(0..3), &[]).unwrap();
    let written = writer.finish().unwrap();
    let publish = super::publish(&bench.target.output, written.files);
    let error = bench.runtime.block_on(publish).unwrap_err();
    let crate::Error::Write { place, .. } = &error else { panic!("{error}") };
    assert!(place.starts_with("out/pin/a.pin+0+"), "{place}");
}
