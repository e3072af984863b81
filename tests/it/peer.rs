//! Other engines do the same cleaning, from the raw JSON, and get the same rows;
//! and they read the tables as we do.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::command::{isolated, said, succeed};
use crate::table::{Format, Place, Row, TABLES, multiset, rows_of};

mod benchmark;

/// The cleaning, as written for another engine. Each script is given the bucket,
/// the tables and their format, and fails unless the rows are equal as multisets.
const SCRIPTS: [(&str, &str); 2] = [
    ("DuckDB", include_str!("peer/with_duckdb.py")),
    ("Polars", include_str!("peer/with_polars.py")),
];

/// How other engines clean, here and in the benchmark.
const CLEAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/clean");

/// Reads Delta tables and checks their statistics.
const DELTA: &str = include_str!("peer/delta.py");

/// A Python that has DuckDB, Polars and deltalake, if one is named.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PINCLEAN_PEER_PYTHON").filter(|path| !path.is_empty());
    if python.is_none() {
        println!("skipped: PINCLEAN_PEER_PYTHON names no Python that has DuckDB and Polars");
    }
    python.map(PathBuf::from)
}

/// What a script said, run in a folder.
pub fn run(python: &Path, folder: &Path, script: &str, args: &[&str]) -> Output {
    let mut command = isolated(python, folder);
    command.env("PYTHONPATH", CLEAN).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-c", script]).args(args).output().unwrap()
}

#[track_caller]
fn must_succeed(engine: &str, output: &Output) {
    assert!(output.status.success(), "{engine}: {}", said(output));
    print!("{engine}: {}", String::from_utf8_lossy(&output.stdout));
}

/// Emulates small objects, or large ones after them.
fn emulate(folder: &Path, slice: &[&str]) {
    let emulate = ["emulate", "bucket", "--seed", "11", "--partitions", "3"];
    succeed(folder, &[&emulate, slice].concat());
}

const SMALL: [&str; 4] = ["--rows", "300", "--flush-size", "1"];
const LARGE: [&str; 7] =
    ["--rows", "30000", "--start-offset", "300", "--flush-size", "1000", "--gzip"];

#[test]
fn other_engines_clean_an_emulated_bucket_to_the_same_rows() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    emulate(folder, &SMALL);
    // Delta in two runs, plain Parquet in one.
    let delta = ["run", "--source", "bucket", "--out", "delta", "--max-rejects", "0"];
    succeed(folder, &delta);
    emulate(folder, &LARGE);
    succeed(folder, &delta);
    let parquet = ["run", "--source", "bucket", "--out", "parquet", "--max-rejects", "0"];
    succeed(folder, &[&parquet, Format::Parquet.args()].concat());
    for format in ["delta", "parquet"] {
        for (engine, script) in SCRIPTS {
            let output = run(&python, folder, script, &["bucket", format, format]);
            must_succeed(engine, &output);
        }
    }
}

/// What an engine read.
fn read_by(folder: &Path, engine: &str, into: &str) -> Vec<Row> {
    let file = folder.join(format!("{into}.{engine}.parquet"));
    rows_of(std::fs::read(file).unwrap().into())
}

/// The rows, but for what tells of the run.
fn comparable(mut rows: Vec<Row>) -> Vec<String> {
    let of_the_run = ["run_id", "at", "id"];
    rows.iter_mut().for_each(|row| row.retain(|(name, _)| !of_the_run.contains(&&**name)));
    multiset(&rows)
}

/// A table to be read, and what is to be found in it.
struct Reading {
    job: Value,
    expected: Vec<String>,
    engines: &'static [&'static str],
}

fn reading(table: &str, version: Option<u64>, expected: Vec<Row>) -> Reading {
    let of = version.map_or_else(|| "latest".to_owned(), |version| version.to_string());
    let into = format!("{}-{of}", table.replace('/', "-"));
    let comments = !table.contains("_quarantine");
    let job = json!({ "table": table, "version": version, "comments": comments, "into": into });
    Reading { job, expected: comparable(expected), engines: &["deltalake", "polars"] }
}

fn check(python: &Path, folder: &Path, readings: &[Reading]) {
    let jobs: Vec<&Value> = readings.iter().map(|reading| &reading.job).collect();
    let jobs = serde_json::to_string(&jobs).unwrap();
    must_succeed("deltalake", &run(python, folder, DELTA, &[&jobs]));
    for Reading { job, expected, engines } in readings {
        for engine in *engines {
            let found = comparable(read_by(folder, engine, job["into"].as_str().unwrap()));
            assert_eq!(found.len(), expected.len(), "{engine}: {job}");
            let first = found.iter().zip(expected).find(|(a, b)| a != b);
            assert!(first.is_none(), "{engine}: {job}: {first:#?}");
        }
    }
}

/// Plain Parquet of all that is in the bucket: what the Delta tables must hold.
fn reference(folder: &Path, out: &str) -> Place<'static> {
    let run = ["run", "--source", "bucket", "--out", out];
    succeed(folder, &[&run, Format::Parquet.args()].concat());
    Place::Folder(folder.join(out))
}

#[test]
fn other_engines_read_delta_tables_and_their_old_versions_as_we_do() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let run = ["run", "--source", "bucket", "--out", "clean"];
    emulate(folder, &[&SMALL[..], &["--bad-rate", "5%"]].concat());
    succeed(folder, &run);
    let first = reference(folder, "first");
    emulate(folder, &[&LARGE[..], &["--bad-rate", "1%"]].concat());
    succeed(folder, &run);
    let second = reference(folder, "second");
    // From here on only the small objects are there.
    std::fs::remove_dir_all(folder.join("bucket")).unwrap();
    emulate(folder, &[&SMALL[..], &["--bad-rate", "5%"]].concat());
    succeed(folder, &[&run[..], &["--mode", "overwrite"]].concat());
    let mut readings = Vec::new();
    for (version, place) in [(Some(0), &first), (Some(1), &second), (None, &first)] {
        for table in TABLES {
            readings.push(reading(&format!("clean/{table}"), version, place.rows(table)));
            let quarantine = format!("clean/_quarantine/{table}");
            readings.push(reading(&quarantine, version, place.rejects(table)));
        }
    }
    check(&python, folder, &readings);
}

#[test]
fn other_engines_read_partitioned_delta_tables_as_we_do() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let transforms = folder.join("transforms");
    std::fs::create_dir(&transforms).unwrap();
    let geo = include_str!("../../transforms/geo.toml").replacen(
        "unknown = ",
        "partition_by = [\"country\"]\nunknown = ",
        1,
    );
    std::fs::write(transforms.join("geo.toml"), geo).unwrap();
    let run = ["run", "--source", "bucket", "--out", "clean", "--transforms", "transforms"];
    let topic = "topics/u.geo/partition=0/u.geo+0+";
    let put = |start: u32, countries: &[&str]| {
        let line = |(ind, country): (u32, &&str)| {
            json!({ "ind": ind, "country": country, "latitude": 1.5, "longitude": -2 }).to_string()
        };
        let lines: Vec<String> = (start..).zip(countries).map(line).collect();
        let file = folder.join(format!("bucket/{topic}{start:010}.json"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, lines.join("\n")).unwrap();
    };
    put(0, &["Peru", "Côte d'Ivoire", "a/b=c%20 #?", "", "Peru"]);
    std::fs::write(
        folder.join(format!("bucket/{topic}0000000005.json")),
        "{\"ind\":5,\"latitude\":1,\"longitude\":2}\n{\"ind\":6}\n{}\n",
    )
    .unwrap();
    succeed(folder, &run);
    put(8, &["Chad", "Peru"]);
    succeed(folder, &run);
    let expected = reference(folder, "plain");
    assert!(expected.rows("geo").len() >= 9, "{:?}", expected.rows("geo"));
    // An empty text and none are one partition: readers of Delta get a null.
    let null = |mut row: Row| {
        let country = row.iter_mut().find(|(name, _)| name == "country").unwrap();
        if country.1.to_string() == "\"\"" {
            country.1 = parquet::record::Field::Null;
        }
        row
    };
    let rows = expected.rows("geo").into_iter().map(null).collect();
    check(&python, folder, &[reading("clean/geo", None, rows)]);

    // A folder's name cannot be as long as this value, so it is cut. Polars goes
    // by the folders' names, although only the log has the values.
    put(10, &[&"x".repeat(300)]);
    succeed(folder, &run);
    let rows = reference(folder, "long").rows("geo").into_iter().map(null).collect();
    let long = Reading { engines: &["deltalake"], ..reading("clean/geo", None, rows) };
    check(&python, folder, &[long]);
}
