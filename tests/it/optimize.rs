//! `pinclean optimize` and `run --optimize-after`, as a user starts them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use parquet::record::Field;
use serde_json::Value;

use crate::command::{pinclean, said, succeed};
use crate::table::{Row, column, multiset, rows_of};

/// A folder of objects, and of tables that runs made of them.
struct Place(tempfile::TempDir);

const GEO: &str = "u.geo";

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// An object with three sound records and a bad one.
    fn put(&self, start: u64) {
        let folder = self.path().join(format!("in/topics/{GEO}/partition=0"));
        fs::create_dir_all(&folder).unwrap();
        let record = |n: u64| {
            // Not in order, so that sorting shows.
            let ind = (start + n) * 7_919 % 10_007;
            format!(r#"{{"ind":{ind},"country":"Peru","latitude":1.5,"longitude":-2.5}}"#)
        };
        let lines = (0..3).map(record).chain(["{".to_owned()]).collect::<Vec<_>>().join("\n");
        fs::write(folder.join(format!("{GEO}+0+{start:010}.json")), lines + "\n").unwrap();
    }

    /// One more object, and a run that reads it.
    fn grow(&self, number: u64, args: &[&str]) {
        self.put(number * 4);
        let run = ["run", "--source", "in", "--out", "out", "--report", "report.json"];
        succeed(self.path(), &[&run[..], args].concat());
    }

    fn optimize(&self, args: &[&str]) -> Output {
        let args = [&["optimize", "--tables", "out"][..], args].concat();
        pinclean(self.path(), &args).output().unwrap()
    }

    fn optimized(&self, args: &[&str]) -> String {
        let output = self.optimize(args);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The commits of a table.
    fn log(&self, table: &str) -> Vec<Vec<Value>> {
        let folder = self.path().join("out").join(table).join("_delta_log");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let read = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        files.iter().map(read).collect()
    }

    /// The files that the log says the table consists of.
    fn live(&self, table: &str) -> Vec<PathBuf> {
        let mut live = BTreeSet::new();
        for action in self.log(table).iter().flatten() {
            if let Some(path) = action["remove"]["path"].as_str() {
                live.remove(path);
            }
            if let Some(path) = action["add"]["path"].as_str() {
                live.insert(path.to_owned());
            }
        }
        let folder = self.path().join("out").join(table);
        live.into_iter().map(|path| folder.join(path.replace("%2B", "+"))).collect()
    }

    fn rows(&self, table: &str) -> Vec<Row> {
        self.live(table).iter().flat_map(|file| rows(file)).collect()
    }
}

fn rows(file: &Path) -> Vec<Row> {
    let file = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    rows_of(file.into())
}

const QUARANTINE: &str = "_quarantine/geo";

#[test]
fn many_runs_become_one_file_and_no_row_changes() {
    let place = Place::new();
    (0..12).for_each(|n| place.grow(n, &[]));
    let before = [multiset(&place.rows("geo")), multiset(&place.rows(QUARANTINE))];
    assert_eq!((place.live("geo").len(), place.live(QUARANTINE).len()), (12, 12));
    assert_eq!((before[0].len(), before[1].len()), (36, 12));

    let out = place.optimized(&[]);
    for table in ["geo", QUARANTINE] {
        assert!(out.contains(&format!("{table}: 12 files of ")), "{out}");
        assert_eq!(place.live(table).len(), 1, "{out}");
    }
    assert_eq!([multiset(&place.rows("geo")), multiset(&place.rows(QUARANTINE))], before);
    let commit = place.log("geo").pop().unwrap();
    assert_eq!(commit[0]["commitInfo"]["operation"], "OPTIMIZE");
    let change = |action: &Value| {
        let of = |kind: &str| action[kind]["dataChange"].as_bool();
        of("add").or(of("remove"))
    };
    let changes: Vec<bool> = commit.iter().filter_map(change).collect();
    assert_eq!(changes, [false; 13]);

    let again = place.optimized(&["geo"]);
    assert_eq!(again, format!("geo: nothing to pack\n{QUARANTINE}: nothing to pack\n"));
    // The next run goes on where the last one ended.
    place.grow(12, &[]);
    assert_eq!((place.rows("geo").len(), place.live("geo").len()), (39, 2));
    place.grow(12, &[]);
    assert_eq!(place.rows("geo").len(), 39);
}

#[test]
fn rows_are_sorted_when_asked_and_only_by_what_can_be() {
    let place = Place::new();
    (0..5).for_each(|n| place.grow(n, &[]));
    let before = multiset(&place.rows("geo"));
    place.optimized(&["geo", "--sort", "ind"]);
    let [file] = &place.live("geo")[..] else { panic!("{:?}", place.live("geo")) };
    let rows = rows(file);
    let inds: Vec<i32> = column(&rows, "ind")
        .map(|ind| match ind {
            Field::Int(ind) => *ind,
            other => panic!("{other}"),
        })
        .collect();
    assert!(inds.is_sorted(), "{inds:?}");
    assert_eq!(multiset(&rows), before);

    for (column, problem) in [("unique_id", "no such column"), ("coordinates", "lists")] {
        let refused = place.optimize(&["--sort", column]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(said(&refused).contains(problem), "{}", said(&refused));
    }
}

#[test]
fn two_at_once_and_a_run_beside_them_lose_and_double_nothing() {
    let place = Place::new();
    (0..20).for_each(|n| place.grow(n, &[]));
    place.put(80);
    let start = |args: &[&str]| pinclean(place.path(), args).spawn().unwrap();
    let mut started = [
        start(&["optimize", "geo", "--tables", "out", "--quiet"]),
        start(&["optimize", "geo", "--tables", "out", "--quiet"]),
        start(&["run", "--source", "in", "--out", "out", "--quiet"]),
    ];
    let codes = started.each_mut().map(|child| child.wait().unwrap().code().unwrap());
    assert!(codes[..2].iter().all(|code| [0, 75].contains(code)), "{codes:?}");
    assert_eq!(codes[2], 0, "no run is in the way of packing, nor packing of a run");
    assert_eq!((place.rows("geo").len(), place.rows(QUARANTINE).len()), (63, 21));
    for log in ["geo", QUARANTINE] {
        assert!(place.live(log).len() <= 2, "{log} is packed");
        let packed =
            place.log(log).iter().filter(|c| c[0]["commitInfo"]["operation"] == "OPTIMIZE").count();
        // One that loses a log goes on with the next, and may be first there: then
        // both were fenced once, and each log was packed once.
        assert!(packed == 1 || codes[..2].contains(&0), "{log}: {packed}, {codes:?}");
    }
}

#[test]
fn a_run_packs_what_has_become_too_many_files() {
    let place = Place::new();
    let files: Vec<usize> = (0..8)
        .map(|n| {
            place.grow(n, &["--optimize-after", "3"]);
            place.live("geo").len()
        })
        .collect();
    assert_eq!(files, [1, 2, 3, 1, 2, 3, 1, 2]);
    assert_eq!((place.rows("geo").len(), place.rows(QUARANTINE).len()), (24, 8));
    place.grow(8, &[]);
    place.grow(9, &["--optimize-after", "3"]);
    let report = fs::read(place.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let geo = &report["tables"]["geo"];
    assert_eq!((&geo["packed"]["files"], &geo["packed"]["into_files"]), (&4.into(), &1.into()));
    assert_eq!(geo["quarantine_packed"]["rows"], 10);
}

#[test]
fn a_file_that_is_gone_stops_packing_and_not_the_run() {
    let place = Place::new();
    (0..3).for_each(|n| place.grow(n, &[]));
    let gone = place.live("geo").remove(1);
    fs::remove_file(&gone).unwrap();
    let versions = place.log("geo").len();
    let failed = place.optimize(&["geo"]);
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    let name = gone.file_name().unwrap().to_str().unwrap();
    assert!(said(&failed).contains(name), "{}", said(&failed));
    assert!(said(&failed).contains("--mode overwrite"), "{}", said(&failed));
    assert_eq!(place.log("geo").len(), versions);

    place.put(12);
    let run = ["run", "--source", "in", "--out", "out", "--optimize-after", "1"];
    let ran = pinclean(place.path(), &run).output().unwrap();
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(said(&ran).contains("the run is committed"), "{}", said(&ran));
}

#[test]
fn a_type_that_widens_is_widened_by_the_next_run_with_new_records() {
    let place = Place::new();
    let transforms = place.path().join("transforms");
    fs::create_dir(&transforms).unwrap();
    let write = |ty: &str, more: &str| {
        let text = format!(
            "version = 1\ntable = \"geo\"\ntopics = [\"*.geo\"]\n[[column]]\nname = \"ind\"\n\
             type = \"{ty}\"\nfield = \"ind\"\n{more}"
        );
        fs::write(transforms.join("geo.toml"), text).unwrap();
    };
    let country = "[[column]]\nname = \"country\"\ntype = \"string\"\nfield = \"country\"\n";
    let args = ["--transforms", "transforms"];
    write("int32", "");
    place.grow(0, &args);
    place.grow(1, &args);
    write("int64", country);
    succeed(place.path(), &["run", "--source", "in", "--out", "out", args[0], args[1]]);
    assert_eq!(place.log("geo").len(), 2, "nothing new, nothing committed");
    place.grow(2, &args);
    let rows = place.rows("geo");
    assert_eq!(rows.len(), 9);
    assert!(column(&rows, "ind").all(|ind| matches!(ind, Field::Long(_))));
    let nulls = column(&rows, "country").filter(|country| matches!(country, Field::Null)).count();
    assert_eq!(nulls, 6);
    let commit = place.log("geo").pop().unwrap();
    assert!(commit.iter().all(|action| action.get("protocol").is_none()), "{commit:#?}");
}
