//! Other engines do the same cleaning, from the raw JSON, and get the same rows.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::command::{isolated, said, succeed};

/// The cleaning, as written for another engine. Each script is given the bucket
/// and the tables, and fails unless the rows are equal as multisets.
const SCRIPTS: [(&str, &str); 2] = [
    ("DuckDB", include_str!("peer/with_duckdb.py")),
    ("Polars", include_str!("peer/with_polars.py")),
];

/// A Python that has DuckDB and Polars, if one is named.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PINCLEAN_PEER_PYTHON").filter(|path| !path.is_empty());
    if python.is_none() {
        println!("skipped: PINCLEAN_PEER_PYTHON names no Python that has DuckDB and Polars");
    }
    python.map(PathBuf::from)
}

/// What a script said, run in a folder.
pub fn run(python: &Path, folder: &Path, script: &str, args: &[&str]) -> Output {
    isolated(python, folder).args(["-c", script]).args(args).output().unwrap()
}

#[test]
fn other_engines_clean_an_emulated_bucket_to_the_same_rows() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let slices: [&[&str]; 2] = [
        &["--rows", "300", "--flush-size", "1"],
        &["--rows", "30000", "--start-offset", "300", "--flush-size", "1000", "--gzip"],
    ];
    for slice in slices {
        let emulate = ["emulate", "bucket", "--seed", "11", "--partitions", "3"];
        succeed(folder, &[&emulate, slice].concat());
    }
    succeed(folder, &["run", "--source", "bucket", "--out", "clean", "--max-rejects", "0"]);
    for (engine, script) in SCRIPTS {
        let output = run(&python, folder, script, &["bucket", "clean"]);
        assert!(output.status.success(), "{engine}: {}", said(&output));
        print!("{engine}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
