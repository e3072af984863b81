use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use super::*;

/// A store in memory and one on a disk, each with two tables, a table of plain
/// Parquet, a stranger's, one of another name, and what is no table.
async fn worlds() -> Vec<(Output, Option<tempfile::TempDir>)> {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let output =
        |objects: Arc<dyn ObjectStore>| Output { objects, url: "out".into(), refusals: None };
    let worlds =
        vec![(output(Arc::new(InMemory::new())), None), (output(Arc::new(local)), Some(folder))];
    for (output, _) in &worlds {
        for (name, table) in [
            ("pin", json!({ "pinclean.table": "pin" })),
            ("geo", json!({ "pinclean.table": "geo" })),
            ("sales", json!({})),
            ("copied", json!({ "pinclean.table": "pin" })),
            ("_quarantine/geo", json!({ "pinclean.table": "_quarantine/geo" })),
        ] {
            put(output, &format!("{name}/_delta_log/{:020}.json", 0), &commit(&table)).await;
        }
        for name in ["plain/_pinclean/0000000001.json", "notes/todo.txt", "a.txt", "_runs/x.json"] {
            put(output, name, "{}").await;
        }
    }
    worlds
}

fn commit(properties: &Value) -> String {
    let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
    let metadata = json!({
        "id": "x", "format": { "provider": "parquet", "options": {} },
        "schemaString": r#"{"type":"struct","fields":[]}"#,
        "partitionColumns": [], "configuration": properties, "createdTime": 0,
    });
    format!("{}\n{}", json!({ "protocol": protocol }), json!({ "metaData": metadata }))
}

async fn put(output: &Output, path: &str, text: &str) {
    output.objects.put(&Path::from(path), text.to_owned().into()).await.unwrap();
}

async fn found(output: &Output, names: &[&str]) -> Result<Vec<String>> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let finished = find(output, &names).await?;
    Ok(finished.iter().map(|table| table.logs.name().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_tables_are_found_among_others() {
    for (output, _folder) in worlds().await {
        assert_eq!(found(&output, &[]).await.unwrap(), ["geo", "pin"]);
        assert_eq!(found(&output, &["pin"]).await.unwrap(), ["pin"]);
        assert_eq!(found(&output, &["pin", "geo"]).await.unwrap(), ["geo", "pin"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_and_cannot_be_worked_on_is_told() {
    let cases = [
        ("user", 2, "no table user in out: there are geo, pin"),
        ("notes", 2, "no table notes"),
        ("plain", 2, "plain in out: plain Parquet has no log"),
        ("sales", 1, "did not make; leave it out"),
        ("copied", 1, "the table pin of pinclean, not copied; leave it out"),
    ];
    for (output, _folder) in worlds().await {
        for (name, code, expected) in cases {
            let error = found(&output, &["pin", name]).await.unwrap_err();
            assert_eq!(error.exit_code(), code, "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_without_our_tables_is_told() {
    let output = Output { objects: Arc::new(InMemory::new()), url: "out".into(), refusals: None };
    let told = async |names: &[&str]| found(&output, names).await.unwrap_err().to_string();
    assert!(told(&[]).await.contains("no Delta tables of pinclean in out"));
    assert!(told(&["pin"]).await.contains("there is none"));
    put(&output, "plain/_pinclean/0000000001.json", "{}").await;
    assert!(told(&[]).await.contains("plain Parquet has no log"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_stops_and_features_of_others_do_not() {
    let features = json!({
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["fromTheFuture"], "writerFeatures": ["fromTheFuture"],
    });
    let log = format!("zoo/_delta_log/{:020}.json", 0);
    for (output, _folder) in worlds().await {
        let future = commit(&json!({})).lines().nth(1).unwrap().to_owned();
        let future = format!("{}\n{future}", json!({ "protocol": features }));
        put(&output, &log, &future).await;
        assert_eq!(found(&output, &[]).await.unwrap(), ["geo", "pin"]);
        let error = found(&output, &["zoo"]).await.unwrap_err();
        assert!(matches!(error, Error::TableFeatures { .. }), "{error}");
        put(&output, &log, "{\"commitInfo\"").await;
        for names in [&[][..], &["zoo"]] {
            let error = found(&output, names).await.unwrap_err();
            assert!(matches!(error, Error::BadTable { .. }), "{error}");
        }
        assert_eq!(found(&output, &["pin"]).await.unwrap(), ["pin"], "beside it all goes on");
    }
}
