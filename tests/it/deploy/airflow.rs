//! The DAG, loaded and run by a real Airflow.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::named;
use crate::command::{isolated, program, said, succeed};
use crate::readme::markdown::repository;
use crate::s3::{ACCESS_KEY, Op, SECRET_KEY, Server};

/// Notes each call and how it ended. The first `run` may find another run ahead, if the
/// file `ahead` says so. Until it ends the shell outlives a signal, which is for pinclean.
const WRAPPER: &str = r#"#!/bin/sh
trap : TERM
if [ "$1" = run ] && rm "$CALLS/ahead" 2>/dev/null; then code=75
else "$REAL" "$@"; code=$?
fi
echo "$1 $code" >> "$CALLS/calls"
exit $code
"#;

/// It takes seconds to make.
static DATABASE: OnceLock<Vec<u8>> = OnceLock::new();

/// An Airflow with a database of its own, and the DAG.
struct Airflow {
    program: PathBuf,
    scratch: TempDir,
}

impl Airflow {
    fn new() -> Option<Airflow> {
        let program = named("PINCLEAN_AIRFLOW", "Airflow")?;
        let airflow = Airflow { program, scratch: tempfile::tempdir().unwrap() };
        for folder in ["bin", "dags"] {
            fs::create_dir(airflow.at(folder)).unwrap();
        }
        let wrapper = airflow.at("bin/pinclean");
        fs::write(&wrapper, WRAPPER).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        let dag = fs::read_to_string(repository().join("deploy/airflow/pinclean_dag.py")).unwrap();
        // Two minutes are waited for nowhere but here.
        let delay = "\"retry_delay\": timedelta(minutes=2)";
        assert!(dag.contains(delay) && dag.contains("\"retries\": 3"), "{dag}");
        let dag = dag.replace(delay, "\"retry_delay\": timedelta(seconds=1)");
        fs::write(airflow.at("dags/pinclean_dag.py"), dag).unwrap();
        fs::create_dir(airflow.at("home")).unwrap();
        let database = DATABASE.get_or_init(|| airflow.migrated());
        fs::write(airflow.at("home/airflow.db"), database).unwrap();
        Some(airflow)
    }

    /// A database in which there is nothing.
    fn migrated(&self) -> Vec<u8> {
        let output = self.command(&["db", "migrate"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        fs::read(self.at("home/airflow.db")).unwrap()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = isolated(&self.program, self.scratch.path());
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(args)
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("AIRFLOW_HOME", self.at("home"))
            .env("AIRFLOW__CORE__DAGS_FOLDER", self.at("dags"))
            .env("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
            .env("AIRFLOW_VAR_PINCLEAN_SOURCE", self.at("bucket"))
            .env("AIRFLOW_VAR_PINCLEAN_OUT", self.at("clean"))
            .env("AIRFLOW_VAR_PINCLEAN_ANSWERS", self.at("answers"))
            .env("REAL", program())
            .env("CALLS", self.scratch.path());
        command
    }

    fn dags_test(&self) -> Command {
        self.command(&["dags", "test", "pinclean", "2026-01-01"])
    }

    fn emulate(&self, bad_rate: &str) {
        let emulate = ["emulate", "bucket", "--rows", "100", "--bad-rate", bad_rate];
        succeed(self.scratch.path(), &emulate);
    }

    /// Which commands were run, in order, and their exit codes.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.at("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

fn commits(out: &Path) -> usize {
    fs::read_dir(out.join("pin/_delta_log")).map_or(0, Iterator::count)
}

#[track_caller]
fn check(airflow: &Airflow, output: &Output, success: bool, calls: &[&str]) {
    assert_eq!(airflow.calls(), calls, "{}", said(output));
    assert_eq!(output.status.success(), success, "{}", said(output));
}

#[test]
fn the_dag_checks_runs_and_asks_and_tries_again_after_75() {
    let Some(airflow) = Airflow::new() else { return };
    airflow.emulate("0");
    fs::write(airflow.at("ahead"), "").unwrap();
    let output = airflow.dags_test().output().unwrap();
    check(&airflow, &output, true, &["check 0", "run 75", "run 0", "ask 0"]);
    assert_eq!(commits(&airflow.at("clean")), 1, "{}", said(&output));
    let answers = fs::read_dir(airflow.at("answers")).unwrap().count();
    assert!(answers >= 8, "{answers} answers");
}

#[test]
fn the_dag_fails_at_once_where_another_try_would_hide_or_not_mend_it() {
    let Some(airflow) = Airflow::new() else { return };
    // Committed, with too many rejects: another try would end with 0.
    airflow.emulate("0.5");
    let output = airflow.dags_test().output().unwrap();
    check(&airflow, &output, false, &["check 0", "run 3"]);
    assert_eq!(commits(&airflow.at("clean")), 1, "{}", said(&output));
    fs::remove_file(airflow.at("calls")).unwrap();
    // Transforms that are wrong stay so, and nothing is run with them.
    fs::create_dir(airflow.at("wrong")).unwrap();
    fs::write(airflow.at("wrong/pin.toml"), "version = 1\n").unwrap();
    let output = airflow.dags_test().env("PINCLEAN_TRANSFORMS", airflow.at("wrong")).output();
    check(&airflow, &output.unwrap(), false, &["check 2"]);
}

#[test]
fn a_task_that_is_stopped_stops_pinclean_in_order_and_is_tried_again() {
    let Some(airflow) = Airflow::new() else { return };
    let server = Server::start();
    server.create_bucket("pins");
    server.load_folder("pins", &repository().join("fixtures/bucket"));
    server.faults().delay(Op::Get, Duration::from_millis(500));
    let mut stopped = airflow
        .dags_test()
        .env("AIRFLOW_VAR_PINCLEAN_SOURCE", "s3://pins")
        .env("PINCLEAN_CONCURRENCY", "1")
        .env("AWS_ENDPOINT_URL", server.endpoint())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(300);
    while server.count(Op::Get) == 0 {
        assert!(Instant::now() < patience, "the run reads nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill").arg(stopped.id().to_string()).status().unwrap();
    assert!(kill.success());
    while airflow.calls().len() < 2 {
        assert!(Instant::now() < patience, "the run goes on: {:?}", airflow.calls());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.faults().clear();
    assert!(stopped.wait().unwrap().success(), "{:?}", airflow.calls());
    assert_eq!(airflow.calls(), ["check 0", "run 143", "run 0", "ask 0"]);
    assert_eq!(commits(&airflow.at("clean")), 1);
}
