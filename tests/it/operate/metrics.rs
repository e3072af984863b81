//! `--metrics`: what a run tells, however it ends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use regex::Regex;
use serde_json::Value;

use crate::command::said;
use crate::peer;
use crate::s3::{Fault, Op, Rule, Store};
use crate::s3_runs::world::{Ended, LAKE, OUT, Pinclean, World};

/// The samples of one file.
#[derive(Debug)]
struct Metrics(String);

impl Metrics {
    fn read(file: &Path) -> Metrics {
        let text = fs::read_to_string(file).unwrap();
        let metrics = Metrics(text);
        metrics.agree_with_a_parser(file);
        metrics
    }

    /// The value of a sample that has these labels too.
    fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
        let found: Vec<&str> = self
            .samples()
            .filter(|line| line.starts_with(&format!("pinclean_{name}{{")))
            .filter(|line| labels.iter().all(|label| line.contains(label)))
            .collect();
        assert!(found.len() < 2, "{name} {labels:?} is not one sample: {found:#?}");
        found.first().map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    #[track_caller]
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("no {name} {labels:?}:\n{}", self.0))
    }

    fn samples(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter(|line| !line.starts_with('#'))
    }

    /// A parser that is not ours reads the same samples.
    fn agree_with_a_parser(&self, file: &Path) {
        let Some(python) = peer::python() else { return };
        let file = file.to_str().unwrap();
        let output = peer::run(&python, Path::new("/"), include_str!("metrics.py"), &[file]);
        assert!(output.status.success(), "{}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let read: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(read.len(), self.samples().count());
        for (sample, line) in read.iter().zip(self.samples()) {
            assert!(line.starts_with(&format!("{}{{", sample["name"].as_str().unwrap())), "{line}");
            let value: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
            assert_eq!(sample["value"].as_f64(), Some(value), "{line}");
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn file(world: &World) -> PathBuf {
    world.path("pinclean.prom")
}

fn watched(world: &World) -> Pinclean {
    world.run("s3://tables/clean").arg("--metrics").arg(file(world))
}

/// A run that ends with `code`, and its metrics. Those of every run are there.
#[track_caller]
fn ends(world: &World, run: Pinclean, code: i32) -> (Ended, Metrics) {
    let begin = now();
    let ended = run.end();
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    let metrics = Metrics::read(&file(world));
    let out = [("out", "s3://tables/clean")];
    assert_eq!(metrics.get("run_exit_code", &out), f64::from(code));
    assert!(metrics.get("run_timestamp_seconds", &out) >= begin.floor());
    let took = metrics.get("run_duration_seconds", &out);
    assert!(took > 0.0 && took <= ended.time.as_secs_f64(), "{took} of {:?}", ended.time);
    assert_eq!(metrics.get("build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    if code == 0 {
        let success = metrics.get("last_success_timestamp_seconds", &out);
        assert_eq!(success, metrics.get("run_timestamp_seconds", &out));
    }
    (ended, metrics)
}

const OUTCOMES: [&str; 3] = ["written", "quarantined", "duplicate"];

#[test]
fn a_run_tells_what_it_did_and_that_nothing_is_left() {
    let world = World::new();
    let begin = now();
    world.fill(&["--rows", "200", "--flush-size", "10", "--bad-rate", "0.1"]);
    let (ended, metrics) = ends(&world, watched(&world), 0);
    let run_id = ended.report["run_id"].as_str().unwrap();
    metrics.get("run_info", &[("run_id", run_id), ("source", "s3://lake")]);
    for table in ["pin", "geo", "user"] {
        let of = |name: &str| ended.number(&format!("/tables/{table}/{name}")) as f64;
        for outcome in OUTCOMES {
            let labels = [("table", table), ("outcome", outcome)];
            let expected = of(&format!("records_{outcome}"));
            assert_eq!(metrics.get("run_records", &labels), expected, "{table} {outcome}");
        }
        let table = [("table", table)];
        assert_eq!(metrics.get("run_objects", &table), of("objects"));
        assert_eq!(metrics.get("run_object_bytes", &table), of("bytes"));
        assert_eq!(metrics.get("lag_objects", &table), 0.0);
        assert_eq!(metrics.get("lag_seconds", &table), 0.0);
        let newest = metrics.get("newest_object_timestamp_seconds", &table);
        assert!((begin.floor()..=now()).contains(&newest), "{newest}");
    }
    for kind in ["list", "get", "put"] {
        let sent = ended.number(&format!("/requests/{kind}")) as f64;
        assert_eq!(metrics.get("run_requests", &[("kind", kind)]), sent);
    }
    assert_eq!(metrics.get("run_read_bytes", &[]), ended.number("/requests/bytes_read") as f64);

    // With nothing new the newest object is the last that was committed.
    let newest = metrics.get("newest_object_timestamp_seconds", &[("table", "geo")]);
    let (_, metrics) = ends(&world, watched(&world), 0);
    assert_eq!(metrics.get("lag_objects", &[("table", "geo")]), 0.0);
    assert_eq!(metrics.get("lag_seconds", &[("table", "geo")]), 0.0);
    assert_eq!(metrics.get("newest_object_timestamp_seconds", &[("table", "geo")]), newest);
    assert_eq!(metrics.get("run_records", &[("table", "geo"), ("outcome", "written")]), 0.0);
}

#[test]
fn a_failed_run_tells_how_far_the_tables_are_behind_and_when_all_was_well() {
    let world = World::new();
    world.fill(&["--rows", "40", "--flush-size", "10"]);
    let (_, before) = ends(&world, watched(&world), 0);
    let success = before.get("last_success_timestamp_seconds", &[]);
    std::thread::sleep(Duration::from_millis(2_100));
    let more = ["--rows", "30", "--start-offset", "40", "--flush-size", "10"];
    world.server.load_folder(LAKE, &world.emulate("more", &more));
    // Tables are committed in the order of their names: pin and user come after.
    let denied = Rule::new(Fault::AccessDenied).on(Op::Put).in_bucket(OUT);
    world.server.faults().add(denied.under("clean/pin/_delta_log/"));
    let (ended, metrics) = ends(&world, watched(&world), 1);
    assert!(ended.stderr.contains("s3:PutObject is not allowed"), "{}", ended.stderr);
    for (table, objects) in [("geo", 0.0), ("pin", 3.0), ("user", 3.0)] {
        let of = [("table", table)];
        let outcome = |outcome| metrics.get("run_records", &[of[0], ("outcome", outcome)]);
        let read: f64 = OUTCOMES.iter().map(|name| outcome(name)).sum();
        assert_eq!(read, if objects == 0.0 { 30.0 } else { 0.0 }, "{table}");
        assert_eq!(metrics.get("lag_objects", &of), objects, "{table}");
        let seconds = metrics.get("lag_seconds", &of);
        assert_eq!(seconds >= 2.0, objects > 0.0, "{table}: {seconds}");
    }
    assert_eq!(metrics.get("last_success_timestamp_seconds", &[]), success);
    world.server.faults().clear();

    // The next run carries on, and all is well again.
    let (_, metrics) = ends(&world, watched(&world), 0);
    assert_eq!(metrics.get("lag_objects", &[("table", "pin")]), 0.0);
    assert!(metrics.get("last_success_timestamp_seconds", &[]) > success);
}

#[test]
fn what_a_run_did_not_come_to_know_is_left_out() {
    let world = World::new();
    world.fill(&["--rows", "10"]);
    let unknown = |metrics: &Metrics| {
        for name in ["lag", "newest_object", "run_records", "last_success"] {
            let there = metrics.samples().find(|l| l.starts_with(&format!("pinclean_{name}")));
            assert_eq!(there, None);
        }
    };
    // Wrong transforms, a bucket that is not there, and a listing that is refused.
    let transforms = world.path("wrong");
    fs::create_dir(&transforms).unwrap();
    fs::write(transforms.join("pin.toml"), "version = 1\n").unwrap();
    unknown(&ends(&world, watched(&world).arg("--transforms").arg(&transforms), 2).1);
    let missing = world.run_from(&["--bucket", "no-such-bucket"], "s3://tables/clean");
    unknown(&ends(&world, missing.arg("--metrics").arg(file(&world)), 1).1);
    let under = "topics/5f1c0d9a77b3.user/";
    let refused = Rule::new(Fault::AccessDenied).on(Op::List).in_bucket(LAKE).under(under);
    world.server.faults().add(refused);
    let metrics = ends(&world, watched(&world), 1).1;
    unknown(&metrics);
    assert!(metrics.get("run_requests", &[("kind", "list")]) > 0.0);
}

#[test]
fn a_run_that_another_one_overtook_tells_what_it_did_not_commit() {
    let world = World::new();
    world.fill(&["--rows", "20", "--flush-size", "10"]);
    world.run("s3://tables/first").done();
    let path = "geo/_delta_log/00000000000000000000.json";
    let commit = world.server.get(OUT, &format!("first/{path}")).unwrap();
    let object = world.server.keys(LAKE, "topics/").remove(0);
    let overtake = move |store: &Store| store.put(OUT, &format!("clean/{path}"), commit);
    world.server.faults().on_get(LAKE, &object, overtake);
    let (_, metrics) = ends(&world, watched(&world), 75);
    for table in ["geo", "pin", "user"] {
        assert_eq!(metrics.get("lag_objects", &[("table", table)]), 2.0);
        // Nothing was committed before, so that it cannot be said how long ago.
        assert_eq!(metrics.find("lag_seconds", &[("table", table)]), None);
    }
    assert_eq!(metrics.find("last_success_timestamp_seconds", &[]), None);
}

#[test]
fn a_broken_gate_is_no_success_and_nothing_is_behind() {
    let world = World::new();
    world.fill(&["--rows", "50", "--bad-rate", "0.5"]);
    let (_, metrics) = ends(&world, watched(&world).args(["--max-rejects", "0"]), 3);
    assert_eq!(metrics.find("last_success_timestamp_seconds", &[]), None);
    assert_eq!(metrics.get("lag_objects", &[("table", "pin")]), 0.0);
    let rejects = metrics.get("run_records", &[("table", "pin"), ("outcome", "quarantined")]);
    assert!(rejects > 0.0);
}

#[test]
fn a_run_that_is_stopped_tells_it() {
    let world = World::new();
    world.fill(&["--rows", "10"]);
    world.server.faults().delay(Op::Get, Duration::from_secs(120));
    let run = watched(&world).start();
    while world.server.count(Op::Get) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    run.signal("TERM");
    assert_eq!(run.end().code, Some(143));
    assert_eq!(Metrics::read(&file(&world)).get("run_exit_code", &[]), 143.0);
}

#[test]
fn a_folder_tells_the_newest_object_too() {
    let world = World::new();
    let bucket = world.emulate("bucket", &["--rows", "30", "--partitions", "2"]);
    let times = [("partition=0/5f1c0d9a77b3.pin+0+0000000014.json", 1_000_000_u64)];
    for (name, second) in times {
        let object = bucket.join("topics/5f1c0d9a77b3.pin").join(name);
        let at = UNIX_EPOCH + Duration::from_secs(4_000_000_000 + second);
        fs::File::options().append(true).open(object).unwrap().set_modified(at).unwrap();
    }
    let source = ["--source", bucket.to_str().unwrap()];
    let run = || world.run_from(&source, "s3://tables/clean").arg("--metrics").arg(file(&world));
    for _ in 0..2 {
        let (_, metrics) = ends(&world, run(), 0);
        let newest = metrics.get("newest_object_timestamp_seconds", &[("table", "pin")]);
        assert_eq!(newest, 4_001_000_000.0);
        let geo = metrics.get("newest_object_timestamp_seconds", &[("table", "geo")]);
        assert!((1_700_000_000.0..=now()).contains(&geo), "{geo}");
    }
}

#[test]
fn the_page_of_metrics_has_every_one_and_no_other() {
    let world = World::new();
    world.fill(&["--rows", "5"]);
    let (_, metrics) = ends(&world, watched(&world), 0);
    let name = Regex::new(r"\bpinclean_[a-z_]+\b").unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
    };
    let page = include_str!("../../../deploy/watching.md");
    assert_eq!(names(page), names(&metrics.0));
}

#[test]
fn where_no_metrics_can_be_is_told_before_the_run() {
    let world = World::new();
    world.fill(&["--rows", "5"]);
    let run = world.run("s3://tables/clean").arg("--metrics").arg(world.path("none/x.prom"));
    let said = run.failed(2);
    assert!(said.contains("there is no folder") && said.contains("--metrics"), "{said}");
    assert_eq!(world.server.count(Op::Get), 0);
}
