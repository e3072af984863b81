//! The benchmarks of whole processes, at a size at which they take seconds.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::python;
use crate::command::{isolated, program, said};
use crate::table::TABLES;

const BENCHES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches");

/// All that need only packages of Python and programs of every system.
const PEERS: &str = "pinclean,pinclean-parquet,shell-polars,shell-duckdb,polars,duckdb,floor";

/// What a benchmark said of a pinclean, run once for each size.
fn run(python: &Path, folder: &Path, benchmark: &str, binary: &OsString, args: &[&str]) -> Output {
    let mut command = isolated(python, folder);
    command.arg(Path::new(BENCHES).join(benchmark)).arg("--binary").arg(binary);
    command.args(["--data", "data", "--rounds", "1", "--markdown", "table.md"]);
    command.args(["--json", "figures.json"]).args(args).output().unwrap()
}

fn figures(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("figures.json")).unwrap()).unwrap()
}

/// Every run must have taken time and memory.
#[track_caller]
fn check_runs(of: &Value) {
    let runs = of["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1, "{of}");
    for cost in ["wall", "cpu", "peak"] {
        assert!(runs[0][cost].as_f64() > Some(0.0), "{of}");
    }
}

#[test]
fn the_peers_are_measured_on_the_same_rows() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let named = python.to_str().unwrap();
    let args = ["--python", named, "--scale", "0.002", "--sets", "tiny,large", "--peers", PEERS];
    let output = run(&python, folder, "peers/run", &program(), &args);
    assert!(output.status.success(), "{}", said(&output));

    let buckets = figures(folder)["buckets"].clone();
    for (bucket, objects, rows) in [(&buckets[0], 360, 120), (&buckets[1], 15, 960)] {
        assert_eq!(bucket["objects"], objects, "{bucket}");
        for name in PEERS.split(',') {
            let peer = &bucket["peers"][name];
            check_runs(peer);
            let all = json!({ "pin": rows, "geo": rows, "user": rows });
            assert_eq!(peer["rows"], if name == "floor" { Value::Null } else { all }, "{name}");
        }
    }
    let table = fs::read_to_string(folder.join("table.md")).unwrap();
    assert_eq!(table.matches("| 1    |").count(), 2 * PEERS.split(',').count(), "{table}");
}

/// A pinclean that cleans by other transforms where it writes plain Parquet.
fn deviating(folder: &Path) -> OsString {
    let transforms = folder.join("transforms");
    fs::create_dir(&transforms).unwrap();
    for table in TABLES {
        let name = format!("{table}.toml");
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms").join(&name);
        let rules = fs::read_to_string(built_in).unwrap();
        let other = rules.replacen("strip_prefix = \"Local save in \"\n", "", 1);
        assert_eq!(rules != other, table == "pin");
        fs::write(transforms.join(name), other).unwrap();
    }
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *parquet) set -- \"$@\" --transforms '{}';; esac\n\
         exec '{}' \"$@\"\n",
        transforms.display(),
        Path::new(&program()).display(),
    );
    let file = folder.join("deviating");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.into()
}

#[test]
fn a_peer_that_writes_other_rows_fails_the_benchmark() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let named = python.to_str().unwrap();
    let args = ["--python", named, "--scale", "0.002", "--sets", "tiny"];
    let peers = ["--peers", "pinclean,pinclean-parquet"];
    let output =
        run(&python, folder, "peers/run", &deviating(folder), &[&args[..], &peers].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let what = "pinclean-parquet: not the rows of pinclean: pin: column save_location differs";
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().last(), Some(what));
}

#[test]
fn growth_is_measured_and_drawn() {
    let Some(python) = python() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let args = [
        ["--objects", "30,300"],
        ["--bytes", "1e5,1e6"],
        ["--old", "300"],
        ["--new", "30"],
        ["--chart", "chart.svg"],
    ];
    let output = run(&python, folder, "growth/run", &program(), &args.concat());
    assert!(output.status.success(), "{}", said(&output));

    let figures = figures(folder);
    let objects: Vec<_> = figures["points"].as_array().unwrap().iter().collect();
    objects.iter().for_each(|point| check_runs(point));
    assert_eq!(objects.iter().map(|point| &point["objects"]).collect::<Vec<_>>(), [30, 300, 3, 3]);
    let cases: Vec<_> = figures["increment"].as_array().unwrap().iter().collect();
    cases.iter().for_each(|case| check_runs(case));
    assert_eq!(cases.iter().map(|case| &case["objects"]).collect::<Vec<_>>(), [300, 0, 30, 30]);
    assert_eq!(
        cases.iter().map(|case| &case["requests"]["get"]).collect::<Vec<_>>(),
        [300, 0, 30, 30]
    );
    let chart = fs::read_to_string(folder.join("chart.svg")).unwrap();
    assert_eq!(chart.matches("<circle").count(), 2 * objects.len(), "{chart}");
}
