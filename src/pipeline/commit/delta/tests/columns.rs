//! Columns that change.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::basic::Type;

use super::*;
use crate::delta::read::FileReader;
use crate::pipeline::write::{FileSink, FileWriter, publish};

/// The table `geo` of a transform with one column `n` of a type, and more.
fn table_of(world: &World, ty: &str, more: &str) -> Result<DeltaTable> {
    let text = format!(
        "version = 1\ntable = \"geo\"\ntopics = [\"*.geo\"]\n[[column]]\nname = \"n\"\nfield = \"n\"\n\
         type = \"{ty}\"\n{more}"
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("geo.toml"), text).unwrap();
    let specs = crate::spec::load(Some(folder.path()))?;
    DeltaTable::new(&world.output, &specs[0])
}

/// A file with the numbers, published.
async fn numbers(world: &World, name: &str, numbers: ArrayRef) -> DataFile {
    let batch = RecordBatch::try_from_iter_with_nullable([("n", numbers, true)]);
    let (batch, path) = (batch.unwrap(), Path::from_iter(["geo", name]));
    let sink = FileSink {
        output: world.output.clone(),
        runtime: tokio::runtime::Handle::current(),
        table: "geo".into(),
        spec_hash: None,
        held: Arc::default(),
    };
    let mut file = FileWriter::open(&sink, path, &batch).unwrap();
    file.write(&batch).unwrap();
    let staged = file.finish().unwrap();
    let file = staged.file.clone();
    publish(&world.output, vec![staged]).await.unwrap();
    file
}

async fn ints(world: &World, run: &str, values: &[i32]) -> Draft {
    let values = Arc::new(Int32Array::from(values.to_vec()));
    let file = numbers(world, &format!("{run}.parquet"), values).await;
    Draft { files: vec![file], ..draft(run, 0, 5) }
}

/// The largest number in each file, and whether it is in the store as an int64.
async fn largest(table: &DeltaTable) -> Vec<(i64, bool)> {
    let log = &table.logs.rows;
    let mut largest = Vec::new();
    for file in log.files(&log.read().await.unwrap().unwrap()).await.unwrap() {
        let path = log.file_path(&file.path);
        let reader = FileReader::open(log.output(), &path).await.unwrap();
        let column = reader.metadata().file_metadata().schema_descr().column(0);
        let long = column.physical_type() == Type::INT64;
        largest.push((file.stats["maxValues"]["n"].as_i64().unwrap(), long));
    }
    largest.sort();
    largest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_widens_takes_all_files_along_in_the_commit_of_the_run() {
    for world in worlds() {
        let narrow = table_of(&world, "int32", "").unwrap();
        narrow.commit(None, ints(&world, "one", &[1, 2]).await).await.unwrap();
        let base = narrow.read().await.unwrap();
        narrow.commit(base.as_ref(), ints(&world, "two", &[3]).await).await.unwrap();
        let wide =
            table_of(&world, "int64", "[[column]]\nname = \"m\"\nfield = \"m\"\ntype = \"string\"")
                .unwrap();
        let base = wide.read().await.unwrap().unwrap();
        let evolution = wide.check(&base).unwrap();
        assert_eq!((evolution.widened, evolution.added), (vec!["n".into()], vec!["m".into()]));

        let long = Arc::new(Int64Array::from(vec![1 << 40]));
        let long = numbers(&world, "three.parquet", long).await;
        let run = Draft { files: vec![long], ..draft("three", 0, 7) };
        let version = wide.commit(Some(&base), run).await.unwrap().version;
        assert_eq!(largest(&wide).await, [(2, true), (3, true), (1 << 40, true)]);
        let state = wide.read().await.unwrap().unwrap();
        assert!(wide.check(&state).unwrap().widened.is_empty());
        for action in wide.logs.rows.entry(version).await.unwrap().unwrap() {
            match action {
                Action::Remove(remove) => assert!(!remove.data_change),
                Action::Add(add) => assert_eq!(add.data_change, add.path == "three.parquet"),
                Action::Protocol(_) => panic!("no feature is needed"),
                _ => {}
            }
        }
        let before = wide.logs.rows.read_at(Some(version - 1)).await.unwrap().unwrap();
        assert_eq!(wide.logs.rows.files(&before).await.unwrap().len(), 2, "time travel");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widening_that_comes_second_or_misses_a_file_leaves_nothing() {
    for world in worlds() {
        let narrow = table_of(&world, "int32", "").unwrap();
        narrow.commit(None, ints(&world, "one", &[1]).await).await.unwrap();
        let base = narrow.read().await.unwrap();
        let wide = table_of(&world, "float64", "").unwrap();
        // A run with the old transform is first, in another key range.
        let other =
            Draft { reached: draft("two", 1, 7).reached, ..ints(&world, "two", &[2]).await };
        narrow.commit(base.as_ref(), other).await.unwrap();
        let run = Draft { files: Vec::new(), ..draft("three", 0, 7) };
        let late = wide.commit(base.as_ref(), run.clone()).await;
        assert!(matches!(late, Err(Error::Ahead { .. })), "{late:?}");
        assert_eq!(stored(&world).await, ["geo/one.parquet", "geo/two.parquet"]);

        let base = wide.read().await.unwrap();
        let gone = Path::from("geo/two.parquet");
        world.output.objects.delete(&gone).await.unwrap();
        let missing = wide.commit(base.as_ref(), run).await;
        assert!(matches!(missing, Err(Error::DataFileGone { .. })), "{missing:?}");
        assert_eq!(stored(&world).await, ["geo/one.parquet"]);
        assert_eq!(wide.read().await.unwrap().unwrap().version(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_columns_that_loses_something_needs_an_overwrite() {
    for world in worlds() {
        let long = table_of(&world, "int64", "").unwrap();
        long.commit(None, draft("one", 0, 5)).await.unwrap();
        let base = long.read().await.unwrap();
        let text =
            table_of(&world, "string", "[[column]]\nname = \"m\"\nfield = \"m\"\ntype = \"date\"")
                .unwrap();
        let refused = text.commit(base.as_ref(), draft("two", 0, 7)).await;
        assert!(matches!(refused, Err(Error::SchemaChanged { .. })), "{refused:?}");
        assert_eq!(long.read().await.unwrap().unwrap().version(), 0);

        let full = Draft { mode: Mode::Full, ..draft("three", 0, 7) };
        text.commit(base.as_ref(), full).await.unwrap();
        let state = text.read().await.unwrap().unwrap();
        assert!(text.check(&state).unwrap().added.is_empty());
        assert_eq!(paths(&text.logs.rows).await, ["three.parquet"]);
    }
}

/// The data files in the store.
async fn stored(world: &World) -> Vec<String> {
    let listed: Vec<_> = world.output.objects.list(None).try_collect().await.unwrap();
    let mut paths: Vec<String> = listed.into_iter().map(|o| o.location.into()).collect();
    paths.retain(|path| !path.contains("_delta_log"));
    paths.sort();
    paths
}
