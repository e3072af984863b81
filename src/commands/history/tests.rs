use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use serde_json::{Value, json};

use super::*;
use crate::pipeline::commit::{Holds, TableLogs};
use crate::store::Output;

/// A run of pinclean, an append of Spark's, and a commit that says nothing.
fn commits() -> Vec<Vec<Value>> {
    let properties = json!({ "pinclean.table": "pin" });
    let add = |path: &str| json!({ "add": { "path": path, "partitionValues": {}, "size": 10, "modificationTime": 0, "dataChange": true } });
    let remove = json!({ "remove": { "path": "a", "deletionTimestamp": 1, "dataChange": true } });
    let txn = |app: &str, version: i64| json!({ "txn": { "appId": app, "version": version } });
    let run = json!({ "commitInfo": {
        "timestamp": 1_700_000_000_123_i64, "operation": "WRITE",
        "operationParameters": { "mode": "Append" }, "engineInfo": "pinclean/0.1.0",
        "operationMetrics": { "numFiles": "2" },
        "pinclean": {
            "runId": "r1", "mode": "append", "source": "s3://b", "specHash": "abc",
            "counts": { "read": 1234, "written": 1230, "quarantined": 3, "duplicate": 1 },
        },
    } });
    vec![
        vec![
            run,
            json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } }),
            json!({ "metaData": {
                "id": "x", "format": { "provider": "parquet", "options": {} },
                "schemaString": r#"{"type":"struct","fields":[]}"#,
                "partitionColumns": [], "configuration": properties, "createdTime": 0,
            } }),
            add("a"),
            add("b"),
            txn("pinclean/pin/u.pin/partition=0/0", 40),
            txn("pinclean.end/pin/u.pin/partition=0/0", 45),
            txn("pinclean/pin/u.pin/partition=1/1", 7),
            txn("other", 3),
        ],
        vec![
            json!({ "commitInfo": {
                "timestamp": 1_700_000_001_000_i64, "operation": "DELETE", "userId": "u",
                "engineInfo": "Apache-Spark/3.5", "isolationLevel": "Serializable",
            } }),
            json!({ "fromTheFuture": {} }),
            remove,
        ],
        vec![
            txn("pinclean/pin/u.pin/partition=0/0", 50),
            txn("pinclean.end/pin/u.pin/partition=0/0", 51),
        ],
    ]
}

async fn past(limit: usize, gone: u64) -> Past {
    let output = Output { objects: Arc::new(InMemory::new()), url: "out".into(), refusals: None };
    let logs = TableLogs::new(&output, "pin");
    let path = |version| Path::from(format!("pin/_delta_log/{version:020}.json"));
    for (version, lines) in commits().into_iter().enumerate() {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        output.objects.put(&path(version as u64), text.into()).await.unwrap();
    }
    let Holds::Table(state) = logs.look().await.unwrap() else { panic!("no table") };
    for version in 0..gone {
        output.objects.delete(&path(version)).await.unwrap();
    }
    // A log remembers the commits that it has read.
    let logs = TableLogs::new(&output, "pin");
    Past::read(&Finished { logs, state }, limit).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_runs_and_what_others_did_and_how_far_each_source_is_read() {
    let expected = "\
out/pin
version  time                      operation  run   read  written  quarantined  duplicates  files  by
      2
      1  2023-11-14T22:13:21.000Z  DELETE                                                      -1  Apache-Spark/3.5
      0  2023-11-14T22:13:20.123Z  WRITE      r1   1,234    1,230            3           1     +2  pinclean/0.1.0

topic  directory    partition  next offset
u.pin  partition=0          0           51
u.pin  partition=1          1            8
";
    assert_eq!(past(20, 0).await.terminal(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_all_that_the_commits_say_and_the_watermarks_once() {
    let text = past(20, 0).await.json().unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let versions: Vec<_> = lines.iter().map(|line| line["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [2, 1, 0]);
    let source = |partition: u32, last: u64, next: u64| {
        json!({
            "topic": "u.pin", "directory": format!("partition={partition}"),
            "partition": partition, "last_object": last, "next_offset": next,
        })
    };
    assert_eq!(
        lines[2],
        json!({
            "table": "pin", "version": 0, "time": "2023-11-14T22:13:20.123Z",
            "operation": "WRITE", "parameters": { "mode": "Append" }, "by": "pinclean/0.1.0",
            "run_id": "r1", "mode": "append", "source": "s3://b", "spec_hash": "abc",
            "counts": { "read": 1234, "written": 1230, "quarantined": 3, "duplicate": 1 },
            "files_added": 2, "bytes_added": 20, "files_removed": 0,
            "metrics": { "numFiles": "2" },
            "reached": [source(0, 40, 45), source(1, 7, 8)],
        })
    );
    assert_eq!(lines[0]["watermarks"], json!([source(0, 50, 51), source(1, 7, 8)]));
    assert_eq!((&lines[0]["run_id"], &lines[1]["by"]), (&Value::Null, &"Apache-Spark/3.5".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_ends_at_its_limit_or_where_the_log_was_cleaned() {
    for (limit, gone, versions, told) in [
        (20, 0, &[2, 1, 0][..], None),
        (2, 0, &[2, 1], None),
        (2, 1, &[2, 1], None),
        (3, 1, &[2, 1], Some(0)),
        (20, 2, &[2], Some(1)),
        (20, 3, &[], Some(2)),
    ] {
        let past = past(limit, gone).await;
        let seen: Vec<u64> = past.entries.iter().map(|entry| entry.version).collect();
        assert_eq!((&seen[..], past.gone), (versions, told));
        assert_eq!(past.watermarks.len(), 2, "they do not hang on the commits");
        let says = past.terminal().contains("cleaned out of the log");
        assert_eq!(says, told.is_some());
    }
}
