//! The commands that work on finished tables, as a user starts them.

use std::path::Path;

use serde_json::Value;

use crate::table::Format;
use crate::workplace::Workplace;

/// Invented records, cleaned twice: the second time all tables were replaced.
fn worlds() -> [Workplace; 2] {
    let worlds = [Workplace::on_disk(Format::Delta), Workplace::on_s3(Format::Delta)];
    for world in &worlds {
        let emulate = ["emulate", "in", "--rows", "200", "--bad-rate", "0.2", "--partitions", "2"];
        world.done(&emulate);
        for mode in ["append", "overwrite"] {
            world.done(&["run", "--source", "in", "--out", world.url(), "--mode", mode]);
        }
    }
    worlds
}

impl Workplace {
    fn history(&self, args: &[&str]) -> Vec<Value> {
        let text = self.done(&[&["history", "--tables", self.url(), "--json"], args].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The data files that are there, below the output.
    fn files(&self) -> Vec<String> {
        let mut files = match &self.server {
            None => below(&self.folder().join("clean")),
            Some(server) => server.keys("lake", "clean/"),
        };
        files.retain(|path| path.ends_with(".parquet"));
        files
    }
}

fn below(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => below(&path),
        false => vec![path.to_str().unwrap().to_owned()],
    });
    files.collect()
}

#[test]
fn the_history_tells_of_runs_and_of_how_far_they_got() {
    for world in worlds() {
        let versions = world.history(&["pin"]);
        assert_eq!(versions.len(), 2, "{versions:#?}");
        let (latest, first) = (&versions[0], &versions[1]);
        assert_eq!((&latest["mode"], &first["mode"]), (&"full".into(), &"append".into()));
        assert_eq!(latest["counts"], first["counts"]);
        assert_eq!(latest["files_removed"], first["files_added"]);
        let counts = ["read", "written", "quarantined", "duplicate"];
        let [read, rest @ ..] = counts.map(|count| first["counts"][count].as_u64().unwrap());
        assert_eq!((read, rest.iter().sum::<u64>()), (200, 200));
        assert_eq!(latest["watermarks"], first["reached"], "both read all");
        assert_eq!(latest["watermarks"].as_array().unwrap().len(), 2);

        assert_eq!(world.history(&["--limit", "1"]).len(), 3, "one of each table");
        let text = world.done(&["history", "geo", "pin", "--tables", world.url()]);
        for id in [&latest["run_id"], &first["run_id"]] {
            assert_eq!(text.matches(id.as_str().unwrap()).count(), 2, "{text}");
        }
    }
}

#[test]
fn a_vacuum_deletes_what_was_replaced_and_nothing_that_is_read() {
    for world in worlds() {
        let url = world.url();
        let vacuum = |args: &[&str]| {
            world.done(&[&["vacuum", "--tables", url, "--force", "--retain"], args].concat())
        };
        let before = world.files();
        assert_eq!(vacuum(&["1h"]).lines().count(), 7, "a heading, rows and rejects of 3 tables");
        let dry = vacuum(&["0s", "--dry-run"]);
        assert_eq!(world.files(), before);

        vacuum(&["0s"]);
        let after = world.files();
        let gone: Vec<&String> = before.iter().filter(|file| !after.contains(file)).collect();
        assert_eq!((after.len() * 2, gone.len() * 2), (before.len(), before.len()));
        for file in gone {
            let name = file.rsplit('/').next().unwrap();
            assert!(dry.lines().any(|line| line.ends_with(name)), "{name} is not in\n{dry}");
        }
        let latest = &world.history(&["pin"])[0];
        assert_eq!(latest["operation"], "VACUUM END");
        assert_eq!(latest["watermarks"].as_array().unwrap().len(), 2);
        let idle = world.done(&["run", "--source", "in", "--out", url]);
        assert!(idle.contains("nothing new"), "{idle}");
    }
}

#[test]
fn a_table_that_is_not_there_is_told_with_those_that_are() {
    let [world, _] = worlds();
    for command in ["vacuum", "history"] {
        let output = world.ends(&[command, "pins", "--tables", "clean"], 2);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("no table pins") && told.contains("geo, pin, user"), "{told}");
        let output = world.ends(&[command, "--tables", "nowhere"], 2);
        assert!(String::from_utf8(output.stderr).unwrap().contains("no such folder"));
    }
    let plain = ["run", "--source", "in", "--out", "plain", "--format", "parquet"];
    world.done(&plain);
    let output = world.ends(&["vacuum", "--tables", "plain"], 2);
    assert!(String::from_utf8(output.stderr).unwrap().contains("plain Parquet has no log"));
}
